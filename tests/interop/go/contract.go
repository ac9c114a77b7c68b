package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/cloudevents/sdk-go/v2/event"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
)

// Which message is the data of which type of event, as (wire.v1.event) says.
type contract struct {
	messages map[string]protoreflect.MessageDescriptor
}

func loadContract(path string) (*contract, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	set := &descriptorpb.FileDescriptorSet{}
	if err := proto.Unmarshal(content, set); err != nil {
		return nil, err
	}
	files, err := protodesc.NewFiles(set)
	if err != nil {
		return nil, err
	}
	found, err := files.FindDescriptorByName("wire.v1.event")
	if err != nil {
		return nil, err
	}
	made := &contract{messages: map[string]protoreflect.MessageDescriptor{}}
	option := dynamicpb.NewExtensionType(found.(protoreflect.ExtensionDescriptor))
	known := new(protoregistry.Types)
	if err := known.RegisterExtension(option); err != nil {
		return nil, err
	}
	options := option.TypeDescriptor().ContainingMessage()
	files.RangeFiles(func(file protoreflect.FileDescriptor) bool {
		for i := 0; err == nil && i < file.Messages().Len(); i++ {
			err = made.add(file.Messages().Get(i), options, option, known)
		}
		return err == nil
	})
	return made, err
}

// Options of our own are unknown fields to the generated code: they are read again, dynamically.
func (made *contract) add(message protoreflect.MessageDescriptor, options protoreflect.MessageDescriptor,
	option protoreflect.ExtensionType, known *protoregistry.Types) error {
	packed, err := proto.Marshal(message.Options())
	if err != nil {
		return err
	}
	read := dynamicpb.NewMessage(options)
	if err := (proto.UnmarshalOptions{Resolver: known}).Unmarshal(packed, read); err != nil {
		return err
	}
	if field := option.TypeDescriptor(); read.Has(field) {
		value := read.Get(field).Message()
		made.messages[value.Get(value.Descriptor().Fields().ByName("type")).String()] = message
	}
	return nil
}

// The data in JSON, whatever form it came in.
func (known *contract) data(found event.Event) (json.RawMessage, error) {
	if found.DataContentType() == "" && len(found.Data()) == 0 {
		return json.RawMessage("null"), nil
	}
	if found.DataContentType() == "application/json" {
		if !json.Valid(found.Data()) {
			return nil, fmt.Errorf("the data is no JSON: %q", found.Data())
		}
		return found.Data(), nil
	}
	descriptor, ok := known.messages[found.Type()]
	if !ok || found.DataContentType() != "application/protobuf" {
		return nil, fmt.Errorf("%s as %s is not known", found.Type(), found.DataContentType())
	}
	message := dynamicpb.NewMessage(descriptor)
	if err := proto.Unmarshal(found.Data(), message); err != nil {
		return nil, err
	}
	return protojson.MarshalOptions{EmitUnpopulated: true}.Marshal(message)
}
