package uploads

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/drydock/drydock/api/web"
	"github.com/drydock/drydock/cloud"
	"github.com/drydock/drydock/contract"
)

type identifierInput struct {
	ID string `path:"id" example:"vun6ol2a0k3p9r5c1m8d4h7t" doc:"The upload's id, as it was given when it was signed."`
}

type uploadOutput struct{ Body Upload }

func (s *Service) registerGet(api huma.API) {
	huma.Register(api, huma.Operation{
		OperationID: "get-upload",
		Method:      http.MethodGet,
		Path:        "/v1/uploads/{id}",
		Summary:     "Show an upload",
		Description: "Tells how the upload stands, with signed links to the original and to the pictures made from it.",
		Tags:        []string{tagUploads},
		Errors:      []int{http.StatusNotFound, http.StatusServiceUnavailable},
	}, func(ctx context.Context, in *identifierInput) (*uploadOutput, error) {
		view, err := s.find(ctx, web.OwnerOf(ctx), in.ID)
		if err != nil {
			return nil, s.problem(ctx, "get upload", err)
		}
		return &uploadOutput{Body: view}, nil
	})
}

// find shows one of an owner's uploads, or returns a *missing.
func (s *Service) find(ctx context.Context, owner, id string) (Upload, error) {
	ctx, cancel := context.WithTimeout(ctx, web.AnswerTime)
	defer cancel()
	made, ok := s.identified(id)
	if !ok {
		return Upload{}, &missing{id: id, why: "ids are given out by POST /v1/uploads"}
	}
	doc, _, err := s.record(ctx, owner, id)
	switch {
	case err == nil && doc.Status == contract.StatusDeleted:
		return Upload{}, &missing{id: id, why: "it was deleted"}
	case err == nil:
		return s.recorded(ctx, doc)
	case !errors.Is(err, cloud.ErrNotFound):
		return Upload{}, err
	}
	object, err := s.object(ctx, owner, id)
	switch {
	case err == nil:
		return s.arrived(ctx, object)
	case errors.Is(err, cloud.ErrNotFound):
		return s.awaited(id, made), nil
	default:
		return Upload{}, err
	}
}

// record reads an upload's document and its revision.
func (s *Service) record(ctx context.Context, owner, id string) (contract.Upload, uint64, error) {
	record, err := s.options.Records.Get(ctx, contract.RecordKey(owner, id))
	if err != nil {
		return contract.Upload{}, 0, err
	}
	doc, err := document(record)
	return doc, record.Revision, err
}

// document reads a record. Whose it is and which, the key says.
func document(record cloud.Record) (contract.Upload, error) {
	var doc contract.Upload
	if err := json.Unmarshal(record.Value, &doc); err != nil {
		return contract.Upload{}, fmt.Errorf("read the record %s: %w", record.Key, err)
	}
	doc.Owner, doc.ID, _ = strings.Cut(record.Key, "/")
	return doc, nil
}

// object finds the one object of an upload, with a single list call.
func (s *Service) object(ctx context.Context, owner, id string) (cloud.ObjectInfo, error) {
	for object, err := range s.options.Objects.List(ctx, contract.IncomingFolder(owner, id), "") {
		return object, err
	}
	return cloud.ObjectInfo{}, cloud.ErrNotFound
}
