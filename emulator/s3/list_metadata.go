package s3

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io/fs"
	"maps"
	"slices"
	"strings"
)

// metadataXML is what MinIO's extension of the listings, metadata=true, tells of
// an object besides.
type metadataXML struct {
	UserMetadata userMetadataXML
	UserTags     string `xml:",omitempty"`
	// Internal is how many disks hold the data and the parity.
	Internal struct{ K, M int }
}

// appendTo writes what is told among the elements of an object.
func (m *metadataXML) appendTo(out *bytes.Buffer) error {
	b, err := xml.Marshal(m)
	if err != nil {
		return err
	}
	b = bytes.TrimPrefix(b, []byte("<metadataXML>"))
	out.Write(bytes.TrimSuffix(b, []byte("</metadataXML>")))
	return nil
}

// userMetadataXML writes headers as elements.
type userMetadataXML map[string]string

// MarshalXML implements xml.Marshaler. What is no name in XML is left out.
func (m userMetadataXML) MarshalXML(e *xml.Encoder, start xml.StartElement) error {
	if err := e.EncodeToken(start); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(m)) {
		if !isXMLName(name) {
			continue
		}
		if err := e.EncodeElement(m[name], xml.StartElement{Name: xml.Name{Local: name}}); err != nil {
			return err
		}
	}
	return e.EncodeToken(start.End())
}

// isXMLName reports whether a header's name is one of an element, too: it is in
// ASCII and begins with a letter.
func isXMLName(name string) bool {
	return strings.IndexFunc(name, func(c rune) bool {
		return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_' && c != '.'
	}) < 0
}

// metadata returns what the listing tells of a version besides: nil when that is
// not asked for, or the version has gone meanwhile.
func (q *request) metadata(b *bucket, e entry) (*metadataXML, error) {
	if q.query.Get("metadata") != "true" {
		return nil, nil
	}
	if e.marker {
		return &metadataXML{}, nil
	}
	f, m, err := openBlob(b.objectPath(e.key, e.version))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	_ = f.Close()
	x := &metadataXML{UserMetadata: userMetadataXML{}, UserTags: e.attributes.get().Tags}
	x.Internal.K = 1
	for name, value := range m.Headers {
		if name != "Expires" {
			x.UserMetadata[strings.ToLower(name)] = value
		}
	}
	maps.Copy(x.UserMetadata, m.User)
	return x, nil
}
