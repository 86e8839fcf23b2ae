package deadletters

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/drydock/drydock/api/web"
	"github.com/drydock/drydock/cloud"
)

// maxData bounds the data of an edit, in bytes: the message size of a default server.
const maxData = 1 << 20

type letterInput struct {
	ID string `path:"id" maxLength:"300" example:"quotes.alerts.4711" doc:"The letter's id."`
}

type letterOutput struct {
	ETag string `header:"ETag" doc:"The letter's revision, for If-Match."`
	Body Letter
}

func (s *Service) registerGet(api huma.API) {
	huma.Register(api, huma.Operation{
		OperationID: "get-deadletter",
		Method:      http.MethodGet,
		Path:        "/v1/deadletters/{id}",
		Summary:     "Show a dead letter",
		Description: "Shows a letter with the event's data.",
		Tags:        []string{tagLetters},
		Errors:      []int{http.StatusNotFound, http.StatusServiceUnavailable},
	}, s.get)
}

func (s *Service) get(ctx context.Context, in *letterInput) (*letterOutput, error) {
	ctx, cancel := context.WithTimeout(ctx, web.AnswerTime)
	defer cancel()
	letter, err := s.letters.Get(ctx, in.ID)
	if err != nil {
		return nil, s.problem(ctx, "get dead letter", in.ID, err)
	}
	return &letterOutput{ETag: etag(letter.Revision), Body: whole(letter)}, nil
}

func etag(revision uint64) string { return strconv.Quote(strconv.FormatUint(revision, 10)) }

// matched reads an If-Match.
func matched(header string) (revision uint64, err error) {
	revision, err = strconv.ParseUint(strings.Trim(header, `"`), 10, 64)
	if err != nil {
		return 0, web.Fault("header.If-Match", "not a letter's ETag or revision", header)
	}
	return revision, nil
}

type editInput struct {
	ID      string `path:"id" maxLength:"300" example:"quotes.alerts.4711" doc:"The letter's id."`
	IfMatch string `header:"If-Match" maxLength:"40" example:"\"12\"" doc:"The ETag of the letter that the data is made from. It must be given."`
	RawBody []byte `contentType:"application/octet-stream"`
}

func (s *Service) registerEdit(api huma.API) {
	huma.Register(api, huma.Operation{
		OperationID:  "edit-deadletter",
		Method:       http.MethodPut,
		Path:         "/v1/deadletters/{id}/data",
		Summary:      "Mend a dead letter's data",
		Description:  fmt.Sprintf("Replaces the event's data by the body, of at most %d bytes, and notes so in the history. Everything else stays.", maxData),
		Tags:         []string{tagLetters},
		MaxBodyBytes: maxData,
		Errors: []int{
			http.StatusNotFound, http.StatusPreconditionFailed, http.StatusPreconditionRequired,
			http.StatusRequestEntityTooLarge, http.StatusServiceUnavailable,
		},
	}, s.edit)
}

func (s *Service) edit(ctx context.Context, in *editInput) (*letterOutput, error) {
	if in.IfMatch == "" {
		return nil, huma.NewError(http.StatusPreconditionRequired, "An edit needs If-Match with the ETag of the letter that it is made from.")
	}
	revision, err := matched(in.IfMatch)
	if err != nil {
		return nil, err
	}
	within, cancel := context.WithTimeout(ctx, web.AnswerTime)
	defer cancel()
	err = s.letters.Edit(within, in.ID, revision, in.RawBody)
	if errors.Is(err, cloud.ErrInvalid) {
		return nil, huma.NewError(http.StatusRequestEntityTooLarge, sentence(err))
	}
	if err != nil {
		return nil, s.problem(ctx, "edit dead letter", in.ID, err)
	}
	s.changed(changeEdited, in.ID)
	return s.get(ctx, &letterInput{ID: in.ID})
}

type redriveInput struct {
	ID      string `path:"id" maxLength:"300" example:"quotes.alerts.4711" doc:"The letter's id."`
	IfMatch string `header:"If-Match" maxLength:"40" example:"\"12\"" doc:"The ETag of the letter that is meant; any, when it is not given."`
	Body    *struct {
		Again bool `json:"again,omitempty" doc:"Send it again even though it came back three times or more."`
	}
}

func (s *Service) registerRedrive(api huma.API) {
	huma.Register(api, huma.Operation{
		OperationID:   "redrive-deadletter",
		Method:        http.MethodPost,
		Path:          "/v1/deadletters/{id}/redrive",
		Summary:       "Send a dead letter's event again",
		Description:   "Sends the event again to the consumer that gave it up, to no other, and removes the letter once the event is kept. A letter of an event that came back three times or more is a conflict, unless again is set.",
		Tags:          []string{tagLetters},
		DefaultStatus: http.StatusNoContent,
		Errors:        []int{http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed, http.StatusServiceUnavailable},
	}, s.redrive)
}

func (s *Service) redrive(ctx context.Context, in *redriveInput) (*struct{}, error) {
	within, cancel := context.WithTimeout(ctx, web.AnswerTime)
	defer cancel()
	letter, err := s.letters.Get(within, in.ID)
	if err != nil {
		return nil, s.problem(ctx, "redrive dead letter", in.ID, err)
	}
	revision := letter.Revision
	if in.IfMatch != "" {
		if revision, err = matched(in.IfMatch); err != nil {
			return nil, err
		}
	}
	if letter.Redriven() >= maxRedriven && (in.Body == nil || !in.Body.Again) {
		return nil, huma.Error409Conflict(tired(letter.Redriven()), causes(letter)...)
	}
	if err := s.letters.Redrive(within, in.ID, revision); err != nil {
		return nil, s.problem(ctx, "redrive dead letter", in.ID, err)
	}
	s.changed(changeRedriven, in.ID)
	return nil, nil
}

// tired says why a letter is not sent again just so.
func tired(redriven int) string {
	return fmt.Sprintf("The event was sent again %d times and came back each time; set again to send it once more.", redriven)
}

// causes are the errors with which an event came back, oldest first.
func causes(letter cloud.Letter) []error {
	var details []error
	for _, change := range letter.History {
		if change.Kind == cloud.LetterRedriven {
			details = append(details, &huma.ErrorDetail{Location: change.Letter, Message: change.Reason + ": " + change.Last})
		}
	}
	return append(details, &huma.ErrorDetail{Location: letter.ID, Message: letter.Reason + ": " + letter.Last})
}

func (s *Service) registerDelete(api huma.API) {
	huma.Register(api, huma.Operation{
		OperationID:   "delete-deadletter",
		Method:        http.MethodDelete,
		Path:          "/v1/deadletters/{id}",
		Summary:       "Delete a dead letter",
		Description:   "Removes a letter and its event, for good. Doing it again is no error.",
		Tags:          []string{tagLetters},
		DefaultStatus: http.StatusNoContent,
		Errors:        []int{http.StatusServiceUnavailable},
	}, func(ctx context.Context, in *letterInput) (*struct{}, error) {
		within, cancel := context.WithTimeout(ctx, web.AnswerTime)
		defer cancel()
		_, err := s.letters.Get(within, in.ID)
		if errors.Is(err, cloud.ErrNotFound) {
			return nil, nil
		}
		if err == nil {
			err = s.letters.Delete(within, in.ID)
		}
		if err != nil {
			return nil, s.problem(ctx, "delete dead letter", in.ID, err)
		}
		s.changed(changeDeleted, in.ID)
		return nil, nil
	})
}
