// Reads events as a stranger does, with the CloudEvents SDK for Go and Go's own protobuf: nothing here
// is made from Samverka's code but the descriptors that stock protoc makes of its contract.
//
// usage: interop CONTRACT.desc < CASES > ANSWERS
//
// A case is a line {"kind": KIND, "path": FILE}.  KIND is one of
//
//	protobuf        a packed io.cloudevents.v1.CloudEvent
//	protobuf-batch  a packed io.cloudevents.v1.CloudEventBatch
//	request         an HTTP request as it came over the wire: structured, binary or batch
//	response        an HTTP response likewise
//	sse             lines of server-sent events
//
// The answer is a line {"path": FILE, "events": [...]} with attributes and data of each event, or with
// "error".  Every event must pass the SDK's Validate.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	nethttp "net/http"
	"os"
	"strconv"
	"strings"

	protoformat "github.com/cloudevents/sdk-go/binding/format/protobuf/v2"
	"github.com/cloudevents/sdk-go/v2/event"
	"github.com/cloudevents/sdk-go/v2/protocol/http"
	"github.com/cloudevents/sdk-go/v2/types"
	"google.golang.org/protobuf/encoding/protowire"
)

const lineBytes = 1 << 20

type question struct {
	Kind string `json:"kind"`
	Path string `json:"path"`
}

type answer struct {
	Path   string                   `json:"path"`
	Events []map[string]interface{} `json:"events"`
	Error  string                   `json:"error,omitempty"`
}

func readProtobuf(content []byte) ([]event.Event, error) {
	var one event.Event
	if err := protoformat.Protobuf.Unmarshal(content, &one); err != nil {
		return nil, err
	}
	return []event.Event{one}, nil
}

// A batch is field 1, repeated; this version of the SDK has no function for it.
func readProtobufBatch(content []byte) ([]event.Event, error) {
	var events []event.Event
	for len(content) > 0 {
		number, kind, size := protowire.ConsumeTag(content)
		if size < 0 || number != 1 || kind != protowire.BytesType {
			return nil, errors.New("this is no batch")
		}
		packed, more := protowire.ConsumeBytes(content[size:])
		if more < 0 {
			return nil, protowire.ParseError(more)
		}
		one, err := readProtobuf(packed)
		if err != nil {
			return nil, err
		}
		events = append(events, one...)
		content = content[size+more:]
	}
	return events, nil
}

func one(found *event.Event, err error) ([]event.Event, error) {
	if err != nil {
		return nil, err
	}
	return []event.Event{*found}, nil
}

func readRequest(content []byte) ([]event.Event, error) {
	request, err := nethttp.ReadRequest(bufio.NewReader(bytes.NewReader(content)))
	if err != nil {
		return nil, err
	}
	if http.IsHTTPBatch(request.Header) {
		return http.NewEventsFromHTTPRequest(request)
	}
	return one(http.NewEventFromHTTPRequest(request))
}

func readResponse(content []byte) ([]event.Event, error) {
	response, err := nethttp.ReadResponse(bufio.NewReader(bytes.NewReader(content)), nil)
	if err != nil {
		return nil, err
	}
	if http.IsHTTPBatch(response.Header) {
		return http.NewEventsFromHTTPResponse(response)
	}
	return one(http.NewEventFromHTTPResponse(response))
}

// The id of a server-sent event is the position, which is its sequence.
func readServerSentEvents(content []byte) ([]event.Event, error) {
	var events []event.Event
	id := ""
	for _, line := range strings.Split(string(content), "\n") {
		switch {
		case strings.HasPrefix(line, "id: "):
			id = strings.TrimPrefix(line, "id: ")
		case strings.HasPrefix(line, "data: "):
			found := event.New()
			if err := json.Unmarshal([]byte(line[len("data: "):]), &found); err != nil {
				return nil, err
			}
			position, err := strconv.ParseUint(id, 10, 64)
			if err != nil {
				return nil, err
			}
			if sequence, _ := found.Extensions()["sequence"].(string); sequence !=
				fmt.Sprintf("%019d", position) {
				return nil, fmt.Errorf("id %s has the sequence %q", id, sequence)
			}
			events = append(events, found)
		}
	}
	return events, nil
}

var readers = map[string]func([]byte) ([]event.Event, error){
	"protobuf":       readProtobuf,
	"protobuf-batch": readProtobufBatch,
	"request":        readRequest,
	"response":       readResponse,
	"sse":            readServerSentEvents,
}

// All that the SDK knows of an event, as CloudEvents in JSON would say it.
func tell(contract *contract, found event.Event) (map[string]interface{}, error) {
	if err := found.Validate(); err != nil {
		return nil, fmt.Errorf("%s: %w", found.ID(), err)
	}
	told := map[string]interface{}{
		"specversion": found.SpecVersion(), "id": found.ID(), "source": found.Source(),
		"type": found.Type(), "datacontenttype": found.DataContentType(),
	}
	for name, text := range map[string]string{"subject": found.Subject(),
		"dataschema": found.DataSchema()} {
		if text != "" {
			told[name] = text
		}
	}
	if !found.Time().IsZero() {
		told["time"] = types.FormatTime(found.Time())
	}
	for name, value := range found.Extensions() {
		text, ok := value.(string)
		if !ok {
			return nil, fmt.Errorf("%s: %s is no string: %v", found.ID(), name, value)
		}
		told[name] = text
	}
	data, err := contract.data(found)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", found.ID(), err)
	}
	told["data"] = data
	return told, nil
}

func answerTo(contract *contract, asked question) answer {
	told := answer{Path: asked.Path, Events: []map[string]interface{}{}}
	read, known := readers[asked.Kind]
	if !known {
		told.Error = "no kind " + asked.Kind
		return told
	}
	content, err := os.ReadFile(asked.Path)
	if err == nil {
		var found []event.Event
		found, err = read(content)
		for i := 0; err == nil && i < len(found); i++ {
			var one map[string]interface{}
			one, err = tell(contract, found[i])
			told.Events = append(told.Events, one)
		}
	}
	if err != nil {
		told.Error = err.Error()
	}
	return told
}

func run(descriptors string, in io.Reader, out io.Writer) error {
	contract, err := loadContract(descriptors)
	if err != nil {
		return err
	}
	lines := bufio.NewScanner(in)
	lines.Buffer(make([]byte, 0, 4096), lineBytes)
	answers := json.NewEncoder(out)
	answers.SetEscapeHTML(false)
	for lines.Scan() {
		var asked question
		if err := json.Unmarshal(lines.Bytes(), &asked); err != nil {
			return err
		}
		if err := answers.Encode(answerTo(contract, asked)); err != nil {
			return err
		}
	}
	return lines.Err()
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: interop CONTRACT.desc < CASES > ANSWERS")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "interop:", err)
		os.Exit(1)
	}
}
