SELECT host FROM tenant WHERE id = $1::uuid
