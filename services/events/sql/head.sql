SELECT position, first_kept FROM head
