package s3

import (
	"encoding/xml"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/minio/minio-go/v7/pkg/notification"
	"github.com/minio/minio-go/v7/pkg/tags"
)

const (
	headerTagging      = "X-Amz-Tagging"
	headerTaggingCount = "X-Amz-Tagging-Count"
)

// parseTags checks URL-encoded tags and returns them in their order.
func parseTags(encoded string) (string, error) {
	t, err := tags.Parse(encoded, true)
	if err != nil {
		return "", objectTagError(err)
	}
	return t.String(), nil
}

// formTags reads the tags in a form, which are XML.
func formTags(field string) (string, error) {
	t, err := tags.ParseObjectXML(strings.NewReader(field))
	if err != nil {
		return "", objectTagError(errMalformedXML.because(err))
	}
	return t.String(), nil
}

// objectTagError says what is wrong with the tags of an object.
func objectTagError(err error) error {
	var te tags.Error
	var escape url.EscapeError
	switch {
	case errors.As(err, &te):
		return newError(http.StatusBadRequest, te.Code(), te.Error())
	case errors.As(err, &escape):
		return errInvalidArgument.because(err)
	}
	return err
}

// setTagCount tells how many tags a version has, if any.
func (q *request) setTagCount(encoded string) {
	if encoded != "" {
		q.w.Header().Set(headerTaggingCount, strconv.Itoa(1+strings.Count(encoded, "&")))
	}
}

func (q *request) getObjectTags() error {
	b, err := q.bucketOf()
	if err != nil {
		return err
	}
	e, err := q.target(b)
	if err != nil {
		return err
	}
	var out struct {
		XMLName xml.Name `xml:"Tagging"`
		TagSet  struct {
			Tags []tags.Tag `xml:"Tag"`
		}
	}
	for pair := range strings.SplitSeq(e.attributes.get().Tags, "&") {
		k, v, _ := strings.Cut(pair, "=")
		key, kerr := url.QueryUnescape(k)
		value, verr := url.QueryUnescape(v)
		if err := errors.Join(kerr, verr); err != nil {
			return err
		}
		if key != "" {
			out.TagSet.Tags = append(out.TagSet.Tags, tags.Tag{Key: key, Value: value})
		}
	}
	if q.query.Get("versionId") != "" {
		q.setVersion(e.version)
	}
	return q.writeXML(out)
}

func (q *request) putObjectTags() error {
	set, err := tags.NewTags(nil, true)
	if err != nil {
		return err
	}
	if ok, err := q.readXML(set); err != nil {
		return objectTagError(err)
	} else if !ok {
		return errMalformedXML
	}
	return q.changeTags(set.String(), notification.ObjectCreatedPutTagging, http.StatusOK)
}

func (q *request) deleteObjectTags() error {
	return q.changeTags("", notification.ObjectCreatedDeleteTagging, http.StatusNoContent)
}

func (q *request) changeTags(encoded string, kind notification.EventType, status int) error {
	e, err := q.changeAttributes(kind, func(a *attributes) error {
		a.Tags = encoded
		return nil
	})
	if err != nil {
		return err
	}
	q.setVersion(e.version)
	q.w.WriteHeader(status)
	return nil
}
