package alerts

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/drydock/drydock/api/web"
	"github.com/drydock/drydock/cloud"
	"github.com/drydock/drydock/contract"
)

// Suppression is why an address gets no mail.
type Suppression struct {
	Address string    `json:"address" example:"ann@example.com" doc:"The address."`
	Reason  string    `json:"reason" example:"unsubscribed" doc:"Its owner has unsubscribed, or what the mail server said."`
	At      time.Time `json:"at" doc:"Since when."`
}

type addressInput struct {
	Address string `path:"address" maxLength:"320" example:"ann@example.com" doc:"An e-mail address, whatever its case."`
}

type suppressionOutput struct{ Body Suppression }

func (s *Service) registerSuppressions(api huma.API) {
	huma.Register(api, huma.Operation{
		OperationID: "get-suppression",
		Method:      http.MethodGet,
		Path:        "/v1/suppressions/{address}",
		Summary:     "Tell why an address gets no mail",
		Description: "For operators: shows why no mail is sent to the address. Not found means that mail is sent.",
		Tags:        []string{tagMail},
		Errors:      []int{http.StatusNotFound, http.StatusServiceUnavailable},
	}, s.suppression)
	huma.Register(api, huma.Operation{
		OperationID:   "delete-suppression",
		Method:        http.MethodDelete,
		Path:          "/v1/suppressions/{address}",
		Summary:       "Let an address get mail again",
		Description:   "For operators: sends mail to the address again. Doing it again is no error.",
		Tags:          []string{tagMail},
		DefaultStatus: http.StatusNoContent,
		Errors:        []int{http.StatusServiceUnavailable},
	}, func(ctx context.Context, in *addressInput) (*struct{}, error) {
		ctx, cancel := context.WithTimeout(ctx, web.AnswerTime)
		defer cancel()
		if err := s.options.Mail.Delete(ctx, contract.SuppressionKey(in.Address)); err != nil {
			return nil, s.problem(ctx, "delete suppression", err)
		}
		return nil, nil
	})
}

func (s *Service) suppression(ctx context.Context, in *addressInput) (*suppressionOutput, error) {
	ctx, cancel := context.WithTimeout(ctx, web.AnswerTime)
	defer cancel()
	record, err := s.options.Mail.Get(ctx, contract.SuppressionKey(in.Address))
	if errors.Is(err, cloud.ErrNotFound) {
		return nil, huma.Error404NotFound(fmt.Sprintf("Mail to %.80q is not stopped.", in.Address))
	}
	if err != nil {
		return nil, s.problem(ctx, "get suppression", err)
	}
	var found contract.Suppression
	if err := json.Unmarshal(record.Value, &found); err != nil {
		return nil, s.problem(ctx, "get suppression", fmt.Errorf("read the record %s: %w", record.Key, err))
	}
	return &suppressionOutput{Body: Suppression(found)}, nil
}
