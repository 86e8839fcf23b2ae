package s3

import "encoding/xml"

// versionXML is a Version or a DeleteMarker.
type versionXML struct {
	marker       bool
	Key          string
	LastModified string
	ETag         string
	Size         int64
	Owner        ownerXML
	StorageClass string
	*metadataXML
	IsLatest  bool
	VersionID string `xml:"VersionId"`
}

// MarshalXML implements xml.Marshaler.
func (v versionXML) MarshalXML(e *xml.Encoder, start xml.StartElement) error {
	type plain versionXML
	start.Name.Local = "Version"
	if v.marker {
		start.Name.Local = "DeleteMarker"
	}
	return e.EncodeElement(plain(v), start)
}

type listVersionsResult struct {
	XMLName             xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListVersionsResult"`
	Name                string
	Prefix              string
	KeyMarker           string
	NextKeyMarker       string `xml:",omitempty"`
	NextVersionIDMarker string `xml:"NextVersionIdMarker"`
	VersionIDMarker     string `xml:"VersionIdMarker"`
	MaxKeys             int
	Delimiter           string `xml:",omitempty"`
	IsTruncated         bool
	CommonPrefixes      []prefixXML
	Versions            []versionXML
	EncodingType        string `xml:",omitempty"`
}

// listVersions lists every version of every key: keys in their byte order, the
// versions of a key from the newest.
func (q *request) listVersions() error {
	b, err := q.bucketOf()
	if err != nil {
		return err
	}
	l, err := parseListing(q.query, "max-keys")
	if err != nil {
		return err
	}
	after, afterVersion := q.query.Get("key-marker"), q.query.Get("version-id-marker")
	if after == "" && afterVersion != "" {
		return errNotImplemented
	}
	p := b.index.listVersions(l.prefix, l.delimiter, after, afterVersion, l.limit)
	out := listVersionsResult{
		Name: b.name, Prefix: l.encode(l.prefix), KeyMarker: l.encode(after), VersionIDMarker: afterVersion,
		NextKeyMarker: l.encode(p.next), NextVersionIDMarker: p.nextVersion, MaxKeys: l.limit,
		Delimiter: l.encode(l.delimiter), IsTruncated: p.truncated, EncodingType: l.encoding,
	}
	for _, v := range p.versions {
		x := versionXML{
			marker: v.marker, Key: l.encode(v.key), LastModified: xmlTime(v.modified), ETag: quote(v.etag),
			Size: v.size, Owner: owner(), StorageClass: v.storageClass(), IsLatest: v.latest, VersionID: versionID(v.version),
		}
		if v.marker {
			x.ETag = ""
		}
		if x.metadataXML, err = q.metadata(b, v.entry); err != nil {
			return err
		}
		out.Versions = append(out.Versions, x)
	}
	out.CommonPrefixes = l.commonPrefixes(p.prefixes)
	return q.writeXML(out)
}

// versionEntry is a version in a listing.
type versionEntry struct {
	entry
	latest bool
}

// versionsPage is one page of a listing of versions.
type versionsPage struct {
	versions    []versionEntry
	prefixes    []string
	truncated   bool
	next        string // the last key or common prefix of a truncated page
	nextVersion string // the last version, "" after a common prefix
}

// listVersions returns up to limit versions and common prefixes that come after
// the given key, or after the given version of it.
func (x *index) listVersions(prefix, delimiter, after, afterVersion string, limit int) versionsPage {
	var p versionsPage
	if limit <= 0 {
		return p
	}
	x.mu.RLock()
	defer x.mu.RUnlock()
	full := func() bool {
		p.truncated = len(p.versions)+len(p.prefixes) == limit
		return p.truncated
	}
	x.walk(prefix, delimiter, after, func(it item, common string) bool {
		if common != "" {
			if full() {
				return false
			}
			p.prefixes, p.next, p.nextVersion = append(p.prefixes, common), common, ""
			return true
		}
		from := 0
		if it.key == after {
			from = it.following(versionOf(afterVersion))
		}
		for i, e := range it.newestFirst() {
			if i < from {
				continue
			}
			if full() {
				return false
			}
			p.versions = append(p.versions, versionEntry{entry: e, latest: i == 0})
			p.next, p.nextVersion = it.key, versionID(e.version)
		}
		return true
	}, func(it item) bool { return it.key != after || afterVersion != "" })
	if !p.truncated {
		p.next, p.nextVersion = "", ""
	}
	return p
}
