package s3

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/minio/minio-go/v7"

	"github.com/drydock/drydock/cloud"
)

// seconds is how long something is valid from now, as the signatures count it.
func seconds(until time.Time) (time.Duration, error) {
	valid := time.Until(until).Round(time.Second)
	if valid < time.Second || valid > maxValid {
		return 0, fmt.Errorf("valid for %v: 1s to %v are allowed: %w", valid, maxValid, cloud.ErrInvalid)
	}
	return valid, nil
}

// SignPost implements cloud.Objects.
func (o *Objects) SignPost(ctx context.Context, grant cloud.Grant) (cloud.Form, error) {
	if err := checkGrant(grant); err != nil {
		return cloud.Form{}, err
	}
	policy := minio.NewPostPolicy()
	most := max(grant.Size, 1) // minio-go signs no range that ends at zero
	if err := errors.Join(
		policy.SetBucket(o.bucket),
		policy.SetKey(grant.Key),
		policy.SetExpires(grant.Expires.UTC()),
		policy.SetContentType(grant.ContentType),
		policy.SetContentLengthRange(grant.Size, most),
	); err != nil {
		return cloud.Form{}, fmt.Errorf("sign upload of %s: %w", grant.Key, err)
	}
	target, fields, err := o.client.PresignedPostPolicy(ctx, policy)
	if err != nil {
		return cloud.Form{}, fmt.Errorf("sign upload of %s: %w", grant.Key, err)
	}
	return cloud.Form{URL: target.String(), Fields: fields}, nil
}

// SignPut implements cloud.Objects.
func (o *Objects) SignPut(ctx context.Context, grant cloud.Grant) (cloud.Request, error) {
	if err := checkGrant(grant); err != nil {
		return cloud.Request{}, err
	}
	valid, err := seconds(grant.Expires)
	if err != nil {
		return cloud.Request{}, fmt.Errorf("sign upload of %s: %w", grant.Key, err)
	}
	headers := http.Header{}
	headers.Set("Content-Type", grant.ContentType)
	headers.Set("Content-Length", strconv.FormatInt(grant.Size, 10))
	target, err := o.client.PresignHeader(ctx, http.MethodPut, o.bucket, grant.Key, valid, nil, headers)
	if err != nil {
		return cloud.Request{}, fmt.Errorf("sign upload of %s: %w", grant.Key, err)
	}
	return cloud.Request{
		Method:  http.MethodPut,
		URL:     target.String(),
		Headers: map[string]string{"Content-Type": grant.ContentType, "Content-Length": headers.Get("Content-Length")},
	}, nil
}

// SignGet implements cloud.Objects.
func (o *Objects) SignGet(ctx context.Context, key string, valid time.Duration) (string, error) {
	if valid < time.Second || valid > maxValid {
		return "", fmt.Errorf("sign download of %s: valid for %v: 1s to %v are allowed: %w", key, valid, maxValid, cloud.ErrInvalid)
	}
	target, err := o.client.PresignedGetObject(ctx, o.bucket, key, valid, nil)
	if err != nil {
		return "", fmt.Errorf("sign download of %s: %w", key, err)
	}
	return target.String(), nil
}

func checkGrant(grant cloud.Grant) error {
	if err := checkKey(grant.Key); err != nil {
		return err
	}
	if grant.Size < 0 || grant.ContentType == "" {
		return fmt.Errorf("sign upload of %s: size %d, type %q: %w", grant.Key, grant.Size, grant.ContentType, cloud.ErrInvalid)
	}
	return nil
}
