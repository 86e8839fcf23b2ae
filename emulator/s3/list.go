package s3

import (
	"encoding/base64"
	"encoding/xml"
	"net/url"
	"strconv"
	"strings"
)

const maxPage = 1000

type objectXML struct {
	Key          string
	LastModified string
	ETag         string
	Size         int64
	Owner        *ownerXML `xml:",omitempty"`
	StorageClass string
	*metadataXML
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
	Contents       []objectXML
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
	Contents              []objectXML
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

func (l listing) contents(p page, withOwner bool) (objects []objectXML, prefixes []prefixXML) {
	var o *ownerXML
	if withOwner {
		v := owner()
		o = &v
	}
	for _, e := range p.objects {
		objects = append(objects, objectXML{
			Key: l.encode(e.key), LastModified: xmlTime(e.modified), ETag: quote(e.etag),
			Size: e.size, Owner: o, StorageClass: e.storageClass(),
		})
	}
	for _, s := range p.prefixes {
		prefixes = append(prefixes, prefixXML{l.encode(s)})
	}
	return objects, prefixes
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
	out.Contents, out.CommonPrefixes = l.contents(p, true)
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
	out.Contents, out.CommonPrefixes = l.contents(p, q.query.Get("fetch-owner") == "true")
	for i, e := range p.objects {
		if out.Contents[i].metadataXML, err = q.metadata(b, e); err != nil {
			return err
		}
	}
	return q.writeXML(out)
}
