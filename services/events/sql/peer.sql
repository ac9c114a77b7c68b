SELECT name, source, position FROM federation_peer WHERE name = $1 OR source = $2
