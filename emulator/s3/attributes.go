package s3

// attributes are what may change of a version after it was written.
type attributes struct {
	// Tags are URL-encoded, "" when there are none.
	Tags string `json:"tags,omitempty"`
}

// orNil returns nil for no attributes at all.
func (a attributes) orNil() *attributes {
	if a == (attributes{}) {
		return nil
	}
	return &a
}

// get returns the attributes, none for nil.
func (a *attributes) get() attributes {
	if a == nil {
		return attributes{}
	}
	return *a
}
