package login

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4/jwt"
)

// checkClaims is an error unless the claims are what the method binds a token
// to, and, unless that is known, valid at a time.
func (c jwtConfig) checkClaims(claims map[string]any, timeChecked bool, now time.Time) error {
	text, err := json.Marshal(claims)
	if err != nil {
		return fmt.Errorf("error reading claims: %w", err)
	}
	var standard jwt.Claims
	if err := json.Unmarshal(text, &standard); err != nil {
		return fmt.Errorf("error reading claims: %w", err)
	}
	if timeChecked {
		standard.Expiry, standard.NotBefore, standard.IssuedAt = nil, nil, nil
	} else if err := c.bound(&standard); err != nil {
		return err
	}
	expected := jwt.Expected{Issuer: c.BoundIssuer, Time: now}
	if err := standard.ValidateWithLeeway(expected, leeway(c.ClockSkewLeeway, time.Minute)); err != nil {
		return fmt.Errorf("error validating claims: %w", err)
	}
	if len(c.BoundAudiences) == 0 && len(standard.Audience) > 0 {
		return errors.New("error validating claims: audience claim found in JWT but no audiences are bound")
	}
	if len(c.BoundAudiences) > 0 && !slices.ContainsFunc(c.BoundAudiences, standard.Audience.Contains) {
		return errors.New("error validating claims: aud claim does not match any bound audience")
	}
	return nil
}

// bound gives a token that lacks one of them a beginning and an end.
func (c jwtConfig) bound(claims *jwt.Claims) error {
	const long = 150 * time.Second
	issued, begin, end := claims.IssuedAt.Time(), claims.NotBefore.Time(), claims.Expiry.Time()
	if claims.IssuedAt == nil && claims.NotBefore == nil && claims.Expiry == nil {
		return errors.New("no issue time, notbefore, or expiration time encoded in token")
	}
	if claims.Expiry == nil {
		latest := issued
		if begin.After(latest) {
			latest = begin
		}
		end = latest.Add(leeway(c.ExpirationLeeway, long))
		claims.Expiry = jwt.NewNumericDate(end)
	}
	switch {
	case claims.NotBefore != nil:
	case claims.IssuedAt != nil:
		claims.NotBefore = claims.IssuedAt
	default:
		claims.NotBefore = jwt.NewNumericDate(end.Add(-leeway(c.NotBeforeLeeway, long)))
	}
	return nil
}

// leeway is what a setting means: 0 is the default, negative is none.
func leeway(set, otherwise time.Duration) time.Duration {
	if set == 0 {
		return otherwise
	}
	return max(set, 0)
}
