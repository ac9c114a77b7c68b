-- As many as STORE_PAGE of store.h says.
FETCH FORWARD 2000 FROM profiles
