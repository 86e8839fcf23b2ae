package s3

import (
	"cmp"
	"encoding/xml"
	"slices"
	"strconv"
	"strings"
)

type partXML struct {
	PartNumber   int
	LastModified string
	ETag         string
	Size         int64
	checksumXML
}

type listPartsResult struct {
	XMLName              xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListPartsResult"`
	Bucket               string
	Key                  string
	UploadID             string `xml:"UploadId"`
	Initiator            ownerXML
	Owner                ownerXML
	StorageClass         string
	PartNumberMarker     int
	NextPartNumberMarker int
	MaxParts             int
	IsTruncated          bool
	ChecksumAlgorithm    string
	ChecksumType         string
	EncodingType         string    `xml:",omitempty"`
	Parts                []partXML `xml:"Part"`
}

func (q *request) listParts() error {
	u, err := q.findUpload()
	if err != nil {
		return err
	}
	l, err := parseListing(q.query, "max-parts")
	if err != nil {
		return err
	}
	marker := 0
	if v := q.query.Get("part-number-marker"); v != "" {
		if marker, err = strconv.Atoi(v); err != nil || marker < 0 {
			return errInvalidArgument.saying("Argument partNumberMarker must be an integer.")
		}
	}
	out := listPartsResult{
		Bucket: u.Bucket, Key: l.encode(u.Key), UploadID: u.ID, Initiator: owner(), Owner: owner(),
		StorageClass: standardClass, PartNumberMarker: marker, MaxParts: l.limit,
		ChecksumAlgorithm: u.Algorithm, ChecksumType: u.ChecksumType, EncodingType: l.encoding,
	}
	if class := u.Headers[headerStorageClass]; class != "" {
		out.StorageClass = class
	}
	for _, p := range u.sortedParts() {
		if p.number <= marker {
			continue
		}
		if len(out.Parts) == l.limit {
			out.IsTruncated = true
			break
		}
		x := p.checksum.xml()
		x.ChecksumType = ""
		out.Parts = append(out.Parts, partXML{
			PartNumber: p.number, LastModified: xmlTime(p.modified), ETag: quote(p.etag), Size: p.size, checksumXML: x,
		})
		out.NextPartNumberMarker = p.number
	}
	if !out.IsTruncated {
		out.NextPartNumberMarker = 0
	}
	return q.writeXML(out)
}

func (u *upload) sortedParts() []part {
	u.mu.Lock()
	defer u.mu.Unlock()
	parts := make([]part, 0, len(u.parts))
	for _, p := range u.parts {
		parts = append(parts, p)
	}
	slices.SortFunc(parts, func(a, b part) int { return cmp.Compare(a.number, b.number) })
	return parts
}

// uploadXML is an upload in the listing. MinIO leaves what it does not say here
// empty.
type uploadXML struct {
	Key          string
	UploadID     string `xml:"UploadId"`
	Initiator    ownerXML
	Owner        ownerXML
	StorageClass string
	Initiated    string
}

type listUploadsResult struct {
	XMLName            xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListMultipartUploadsResult"`
	Bucket             string
	KeyMarker          string
	UploadIDMarker     string `xml:"UploadIdMarker"`
	NextKeyMarker      string
	NextUploadIDMarker string `xml:"NextUploadIdMarker"`
	Prefix             string
	Delimiter          string `xml:",omitempty"`
	EncodingType       string `xml:",omitempty"`
	MaxUploads         int
	IsTruncated        bool
	Uploads            []uploadXML `xml:"Upload"`
	CommonPrefixes     []prefixXML
}

// listUploads lists the uploads under way, by key and then by age. As MinIO, it
// does not say whose they are, nor of what class, and begins with the key of the
// marker unless that has an upload, too.
func (q *request) listUploads() error {
	b, err := q.bucketOf()
	if err != nil {
		return err
	}
	l, err := parseListing(q.query, "max-uploads")
	if err != nil {
		return err
	}
	keyMarker, idMarker := q.query.Get("key-marker"), q.query.Get("upload-id-marker")
	out := listUploadsResult{
		Bucket: b.name, KeyMarker: l.encode(keyMarker), UploadIDMarker: idMarker, Prefix: l.encode(l.prefix),
		Delimiter: l.encode(l.delimiter), EncodingType: l.encoding, MaxUploads: l.limit,
	}
	us := q.srv.st.uploadsOf(b.name)
	slices.SortFunc(us, func(a, b *upload) int {
		return cmp.Or(cmp.Compare(a.Key, b.Key), a.Initiated.Compare(b.Initiated), cmp.Compare(a.ID, b.ID))
	})
	marked := slices.IndexFunc(us, func(u *upload) bool { return u.Key == keyMarker && u.ID == idMarker })
	lastPrefix := ""
	for i, u := range us {
		passed := u.Key < keyMarker || u.Key == keyMarker && i <= marked
		if !strings.HasPrefix(u.Key, l.prefix) || keyMarker != "" && passed {
			continue
		}
		common := ""
		if l.delimiter != "" {
			if i := strings.Index(u.Key[len(l.prefix):], l.delimiter); i >= 0 {
				common = u.Key[:len(l.prefix)+i+len(l.delimiter)]
			}
		}
		if common != "" && (common == lastPrefix || common == keyMarker) {
			continue
		}
		if len(out.Uploads)+len(out.CommonPrefixes) == l.limit {
			out.IsTruncated = true
			break
		}
		if common != "" {
			lastPrefix = common
			out.CommonPrefixes = append(out.CommonPrefixes, prefixXML{l.encode(common)})
			out.NextKeyMarker, out.NextUploadIDMarker = l.encode(common), ""
			continue
		}
		out.Uploads = append(out.Uploads, uploadXML{
			Key: l.encode(u.Key), UploadID: u.ID, Initiated: xmlTime(u.Initiated),
		})
		out.NextKeyMarker, out.NextUploadIDMarker = l.encode(u.Key), u.ID
	}
	if !out.IsTruncated {
		out.NextKeyMarker, out.NextUploadIDMarker = "", ""
	}
	return q.writeXML(out)
}
