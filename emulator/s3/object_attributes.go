package s3

import (
	"encoding/xml"
	"net/http"
	"strconv"
	"strings"
)

const headerObjectAttributes = "X-Amz-Object-Attributes"

type attributesPartXML struct {
	PartNumber int
	Size       int64
	checksumXML
}

type attributesPartsXML struct {
	IsTruncated          bool
	MaxParts             int
	NextPartNumberMarker int
	PartNumberMarker     int
	PartsCount           int
	Parts                []attributesPartXML `xml:"Part"`
}

type attributesResult struct {
	XMLName      xml.Name            `xml:"getObjectAttributesResponse"`
	ETag         string              `xml:",omitempty"`
	Checksum     *checksumXML        `xml:",omitempty"`
	ObjectParts  *attributesPartsXML `xml:",omitempty"`
	StorageClass string              `xml:",omitempty"`
	ObjectSize   *int64              `xml:",omitempty"`
}

// getObjectAttributes tells of an object what the client names.
func (q *request) getObjectAttributes() error {
	b, err := q.bucketOf()
	if err != nil {
		return err
	}
	version, err := q.versionID()
	if err != nil {
		return err
	}
	wanted := strings.Split(strings.Join(q.r.Header.Values(headerObjectAttributes), ","), ",")
	f, m, err := q.openObject(b, q.key, version)
	if err != nil {
		q.w.Header().Del(headerDeleteMarker)
		q.w.Header().Del(headerVersionID)
		return err
	}
	_ = f.Close()
	if err := readCondition(q.r.Header, "", m); err != nil {
		return err
	}
	var out attributesResult
	for _, name := range wanted {
		switch strings.TrimSpace(name) {
		case "ETag":
			out.ETag = m.ETag
		case "Checksum":
			if m.Checksum.Value != "" {
				x := m.Checksum.whole().xml()
				out.Checksum = &x
			}
		case "ObjectParts":
			if out.ObjectParts, err = q.attributesParts(m); err != nil {
				return err
			}
		case "StorageClass":
			out.StorageClass = entryOf(m).storageClass()
		case "ObjectSize":
			out.ObjectSize = &m.Size
		default:
			return errInvalidArgument.saying("Invalid attribute name specified.")
		}
	}
	q.w.Header().Set("Last-Modified", m.Modified.UTC().Format(http.TimeFormat))
	q.setVersion(m.Version)
	q.news.mention(b, objectAccessedAttributes, m)
	return q.writeXML(out)
}

// whole is the checksum without the number of parts at its end.
func (c checksum) whole() checksum {
	c.Value, _, _ = strings.Cut(c.Value, "-")
	return c
}

// attributesParts lists an object's parts: one when it was uploaded at once.
func (q *request) attributesParts(m *meta) (*attributesPartsXML, error) {
	out := &attributesPartsXML{MaxParts: maxPartNum}
	var err error
	for name, v := range map[string]*int{"X-Amz-Max-Parts": &out.MaxParts, "X-Amz-Part-Number-Marker": &out.PartNumberMarker} {
		if h := q.r.Header.Get(name); h != "" {
			if *v, err = strconv.Atoi(h); err != nil || *v < 0 {
				return nil, errInvalidArgument.saying("Invalid arguments provided for %s/%s: (Unable to parse %s, value should be an integer)", q.bucket, q.key, name)
			}
		}
	}
	if out.MaxParts == 0 {
		out.MaxParts = maxPartNum
	}
	parts := m.Parts
	if len(parts) == 0 {
		parts = []objectPart{{Number: 1, Size: m.Size}}
	}
	out.PartsCount = len(parts)
	for _, p := range parts {
		switch {
		case p.Number <= out.PartNumberMarker:
		case len(out.Parts) == out.MaxParts:
			out.IsTruncated = true
			return out, nil
		default:
			x := checksum{Algorithm: m.Checksum.Algorithm, Value: p.Checksum}.xml()
			out.Parts = append(out.Parts, attributesPartXML{PartNumber: p.Number, Size: p.Size, checksumXML: x})
			out.NextPartNumberMarker = p.Number
		}
	}
	return out, nil
}
