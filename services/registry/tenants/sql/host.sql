SELECT id FROM tenant WHERE host
