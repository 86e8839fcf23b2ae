package s3

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"net/url"
	"strconv"
	"strings"
)

const maxPage = 1000

// appendObject writes an object of a listing. encoding/xml would take most of
// the time that a page takes.
func (l listing) appendObject(out *bytes.Buffer, e entry, o *ownerXML, m *metadataXML) error {
	element := func(name, value string) {
		out.WriteString("<" + name + ">")
		_ = xml.EscapeText(out, []byte(value)) // to memory
		out.WriteString("</" + name + ">")
	}
	out.WriteString("<Contents>")
	element("Key", l.encode(e.key))
	element("LastModified", xmlTime(e.modified))
	element("ETag", quote(e.etag))
	element("Size", strconv.FormatInt(e.size, 10))
	if o != nil {
		out.WriteString("<Owner>")
		element("ID", o.ID)
		element("DisplayName", o.DisplayName)
		out.WriteString("</Owner>")
	}
	element("StorageClass", e.storageClass())
	if m != nil {
		if err := m.appendTo(out); err != nil {
			return err
		}
	}
	out.WriteString("</Contents>")
	return nil
}

type prefixXML struct {
	Prefix string
}

type listResultV1 struct {
	XMLName        xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListBucketResult"`
	Name           string
	Prefix         string
	Marker         string
	NextMarker     string `xml:",omitempty"`
	MaxKeys        int
	Delimiter      string `xml:",omitempty"`
	EncodingType   string `xml:",omitempty"`
	IsTruncated    bool
	Contents       []byte `xml:",innerxml"`
	CommonPrefixes []prefixXML
}

type listResultV2 struct {
	XMLName               xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListBucketResult"`
	Name                  string
	Prefix                string
	StartAfter            string `xml:",omitempty"`
	ContinuationToken     string `xml:",omitempty"`
	NextContinuationToken string `xml:",omitempty"`
	KeyCount              int
	MaxKeys               int
	Delimiter             string `xml:",omitempty"`
	EncodingType          string `xml:",omitempty"`
	IsTruncated           bool
	Contents              []byte `xml:",innerxml"`
	CommonPrefixes        []prefixXML
}

// listing is what both versions of the listing ask.
type listing struct {
	prefix, delimiter string
	limit             int
	encoding          string
}

// pageLimit is how much a page may hold at most, by the parameter that asks for
// less, and what is said of a value that is no number.
func pageLimit(parameter string) (most int, refusal *apiError) {
	switch parameter {
	case "max-parts":
		return maxPartNum, errPartNumber
	case "max-uploads":
		return maxPartNum, errInvalidArgument.saying("Argument max-uploads must be an integer between 0 and 2147483647")
	}
	return maxPage, errInvalidArgument.saying("Argument maxKeys must be an integer between 0 and 2147483647")
}

func parseListing(q url.Values, limitName string) (listing, error) {
	most, refusal := pageLimit(limitName)
	l := listing{prefix: q.Get("prefix"), delimiter: q.Get("delimiter"), limit: most, encoding: q.Get("encoding-type")}
	if v := q.Get(limitName); v != "" {
		n, err := strconv.ParseInt(v, 10, 32)
		if err != nil || n < 0 {
			return l, refusal
		}
		l.limit = min(int(n), most)
	}
	if l.encoding != "" && l.encoding != "url" {
		return l, errInvalidArgument.saying("Invalid Encoding Method specified in Request")
	}
	return l, nil
}

// listEncoding makes of url.QueryEscape the encoding of keys in listings.
var listEncoding = strings.NewReplacer("%2F", "/", "%2A", "*", "~", "%7E")

// encode writes a key as the encoding type asks.
func (l listing) encode(s string) string {
	if l.encoding == "url" {
		return listEncoding.Replace(url.QueryEscape(s))
	}
	return s
}

// contents are the objects of a page as XML, with what metadata tells of each.
func (l listing) contents(p page, withOwner bool, metadata func(e entry) (*metadataXML, error)) ([]byte, error) {
	var out bytes.Buffer
	var o *ownerXML
	if withOwner {
		v := owner()
		o = &v
	}
	for _, e := range p.objects {
		m, err := metadata(e)
		if err != nil {
			return nil, err
		}
		if err := l.appendObject(&out, e, o, m); err != nil {
			return nil, err
		}
	}
	return out.Bytes(), nil
}

func (l listing) commonPrefixes(common []string) (prefixes []prefixXML) {
	for _, s := range common {
		prefixes = append(prefixes, prefixXML{l.encode(s)})
	}
	return prefixes
}

func (q *request) listObjectsV1() error {
	b, err := q.bucketOf()
	if err != nil {
		return err
	}
	l, err := parseListing(q.query, "max-keys")
	if err != nil {
		return err
	}
	marker := q.query.Get("marker")
	p := b.index.listUnless(b.expired(q.srv.now()), l.prefix, l.delimiter, marker, l.limit)
	out := listResultV1{
		Name: b.name, Prefix: l.encode(l.prefix), Marker: l.encode(marker), NextMarker: l.encode(p.next),
		MaxKeys: l.limit, Delimiter: l.encode(l.delimiter), EncodingType: l.encoding, IsTruncated: p.truncated,
	}
	out.CommonPrefixes = l.commonPrefixes(p.prefixes)
	if out.Contents, err = l.contents(p, true, func(entry) (*metadataXML, error) { return nil, nil }); err != nil {
		return err
	}
	return q.writeXML(out)
}

func (q *request) listObjectsV2() error {
	if q.query.Get("list-type") != "2" {
		return errNotImplemented
	}
	b, err := q.bucketOf()
	if err != nil {
		return err
	}
	l, err := parseListing(q.query, "max-keys")
	if err != nil {
		return err
	}
	after, token := q.query.Get("start-after"), q.query.Get("continuation-token")
	if q.query.Has("continuation-token") {
		raw, err := base64.StdEncoding.DecodeString(token)
		if err != nil || len(raw) == 0 {
			return errInvalidArgument.saying("The continuation token provided is incorrect")
		}
		after = string(raw)
	}
	p := b.index.listUnless(b.expired(q.srv.now()), l.prefix, l.delimiter, after, l.limit)
	out := listResultV2{
		Name: b.name, Prefix: l.encode(l.prefix), StartAfter: l.encode(q.query.Get("start-after")),
		ContinuationToken: token, KeyCount: len(p.objects) + len(p.prefixes), MaxKeys: l.limit,
		Delimiter: l.encode(l.delimiter), EncodingType: l.encoding, IsTruncated: p.truncated,
	}
	if p.truncated {
		out.NextContinuationToken = base64.StdEncoding.EncodeToString([]byte(p.next))
	}
	out.CommonPrefixes = l.commonPrefixes(p.prefixes)
	metadata := func(e entry) (*metadataXML, error) { return q.metadata(b, e) }
	if out.Contents, err = l.contents(p, q.query.Get("fetch-owner") == "true", metadata); err != nil {
		return err
	}
	return q.writeXML(out)
}
