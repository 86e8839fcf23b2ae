package smtp_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/drydock/drydock/cloud"
	"github.com/drydock/drydock/cloud/cloudtest"
	"github.com/drydock/drydock/cloud/smtp"
	server "github.com/drydock/drydock/emulator/mail"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		http.DefaultClient.CloseIdleConnections()
		os.Exit(code)
	}))
}

const password = "hunter2-secret"

func startServer(t *testing.T, o server.Options) *server.Mail {
	t.Helper()
	s, err := server.Start(o)
	require.NoError(t, err)
	t.Cleanup(func() { s.Close() })
	return s
}

func open(t *testing.T, url string) *smtp.Mailer {
	t.Helper()
	m, err := smtp.Open(url)
	require.NoError(t, err)
	t.Cleanup(func() { m.Close() })
	return m
}

func bounded(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func plain(id, to string) cloud.Message {
	return cloud.Message{ID: id, From: "alerts@example.com", To: to, Subject: "s", Text: "t"}
}

func count(t *testing.T, s *server.Mail) int {
	t.Helper()
	messages, err := s.Messages()
	require.NoError(t, err)
	return len(messages)
}

func TestConformance(t *testing.T) {
	t.Parallel()
	for name, query := range map[string]string{"plain": "?tls=none", "starttls": "", "required": "?tls=required"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cloudtest.Mailer(t, func(t *testing.T) cloudtest.MailServer {
				s := startServer(t, server.Options{Username: "ann", Password: password})
				address := s.SMTPURL() + query
				if name == "required" {
					certificate := filepath.Join(t.TempDir(), "ca.pem")
					require.NoError(t, os.WriteFile(certificate, s.Certificate(), 0o600))
					address += "&ca=" + url.QueryEscape(certificate)
				}
				return cloudtest.MailServer{
					Mailer: open(t, address),
					Taken: func() [][]byte {
						messages, err := s.Messages()
						require.NoError(t, err)
						slices.Reverse(messages)
						raw := make([][]byte, len(messages))
						for i, message := range messages {
							raw[i] = get(t, s.URL()+"/v1/messages/"+message.ID+"/raw")
						}
						return raw
					},
					Refuse: func(code int, words string, recipient bool) {
						kind := server.TempFail
						switch {
						case recipient:
							kind = server.RejectRecipient
						case code >= 500:
							kind = server.Reject
						}
						require.NoError(t, s.SetFault(server.Fault{Kind: kind, Times: 1, Code: code, Words: words}))
					},
				}
			})
		})
	}
}

func TestACertificateThatIsNotTrustedIsRefusedWhereItIsChecked(t *testing.T) {
	t.Parallel()
	s := startServer(t, server.Options{})
	err := open(t, s.SMTPURL()+"?tls=required").Send(bounded(t), plain("a", "ann@example.org"))
	require.ErrorContains(t, err, "certificate")
	var refused *cloud.MailError
	assert.NotErrorAs(t, err, &refused, "it says nothing about the mail")
	assert.Zero(t, count(t, s))
}

func TestAWrongPasswordIsTroubleWithTheServerAndStaysSecret(t *testing.T) {
	t.Parallel()
	s := startServer(t, server.Options{Username: "ann", Password: "another"})
	wrong, err := url.Parse(s.SMTPURL())
	require.NoError(t, err)
	for _, user := range []*url.Userinfo{url.UserPassword("ann", password), nil} {
		wrong.User = user
		err = open(t, wrong.String()).Send(bounded(t), plain("a", "ann@example.org"))
		require.Error(t, err)
		var refused *cloud.MailError
		assert.NotErrorAs(t, err, &refused)
		assert.NotContains(t, err.Error(), password)
	}
	assert.Error(t, open(t, "smtp://ann:"+password+"@"+wrong.Host).Ready(bounded(t)))
}

func TestWrongURLsAreRefusedWithoutTheirPassword(t *testing.T) {
	t.Parallel()
	for _, wrong := range []string{
		"", "mail.example.com", "http://ann:" + password + "@host", "smtp://", "smtp://ann:" + password + "@host:port",
		"smtp://ann:" + password + "@host:0", "smtp://ann:" + password + "@ho st", "smtp://ann:" + password + "@host?tls=maybe",
		"smtps://ann:" + password + "@host?tls=none", "smtp://ann:" + password + "@mail.example.com?tls=none",
		"smtp://host?timeout=1", "smtp://host?timeout=1ms", "smtp://host?connections=0", "smtp://host?connections=a:b",
		"smtp://host?rate=10", "smtp://host?rate=0/s", "smtp://host?rate=gmail.com:10/d", "smtp://host?unknown=1", "smtp://host?ca=/nowhere",
	} {
		_, err := smtp.Open(wrong)
		if assert.Error(t, err, wrong) {
			assert.NotContains(t, err.Error(), password)
			assert.NotContains(t, err.Error(), "\n")
		}
	}
}

func TestFaultsOfTheServerAreErrorsThatPass(t *testing.T) {
	t.Parallel()
	for kind, kept := range map[string]int{server.Hang: 0, server.CloseInData: 0, server.CloseAfterData: 1, server.Down: 0} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			s := startServer(t, server.Options{})
			m := open(t, s.SMTPURL()+"?timeout=3s")
			ctx := bounded(t)
			require.NoError(t, m.Ready(ctx)) // there is a connection that is kept
			require.NoError(t, s.SetFault(server.Fault{Kind: kind, Times: 1}))
			err := m.Send(ctx, plain("a", "ann@example.org"))
			require.Error(t, err)
			var refused *cloud.MailError
			assert.NotErrorAs(t, err, &refused, "nobody refused it")
			assert.Equal(t, kept, count(t, s))
			require.NoError(t, m.Send(ctx, plain("b", "ann@example.org")), "it is over")
		})
	}
}

func TestASlowServerIsWaitedForUntilTheContextEnds(t *testing.T) {
	t.Parallel()
	s := startServer(t, server.Options{})
	m := open(t, s.SMTPURL())
	require.NoError(t, s.SetFault(server.Fault{Kind: server.Slow, Seconds: 0.05}))
	require.NoError(t, m.Send(bounded(t), plain("a", "ann@example.org")))
	require.NoError(t, s.SetFault(server.Fault{Kind: server.Slow, Seconds: 60}))
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	assert.ErrorIs(t, m.Send(ctx, plain("b", "ann@example.org")), context.DeadlineExceeded)
}

func TestConnectionsAreKeptAndReplacedWhenTheyBreak(t *testing.T) {
	t.Parallel()
	s := startServer(t, server.Options{})
	m, ctx := open(t, s.SMTPURL()), bounded(t)
	for i := range 5 {
		require.NoError(t, m.Send(ctx, plain(fmt.Sprint(i), "ann@example.org")))
	}
	assert.Equal(t, 1, s.Connections())
	require.NoError(t, s.SetFault(server.Fault{Kind: server.Down})) // which ends the connection
	s.ClearFaults()
	require.NoError(t, m.Send(ctx, plain("after", "ann@example.org")))
	assert.Equal(t, 6, count(t, s))
	for i := range 120 { // more than one connection carries
		require.NoError(t, m.Send(ctx, plain(fmt.Sprint("more", i), "ann@example.org")))
	}
	assert.Equal(t, 126, count(t, s))
}

func TestADomainHasNoMoreConnectionsThanAllowedAndHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	s := startServer(t, server.Options{})
	m, ctx := open(t, s.SMTPURL()+"?connections=4&connections=slow.example:2"), bounded(t)
	require.NoError(t, s.SetFault(server.Fault{Kind: server.Hang, Recipient: "ann@slow.example"}))
	hanging, stop := context.WithCancel(ctx)
	var sending sync.WaitGroup
	for i := range 6 {
		sending.Go(func() { assert.Error(t, m.Send(hanging, plain(fmt.Sprint(i), "ann@slow.example"))) })
	}
	require.Eventually(t, func() bool { return s.Connections() == 2 }, time.Minute, 5*time.Millisecond)
	require.NoError(t, m.Send(ctx, plain("other", "bob@fast.example")))
	assert.LessOrEqual(t, s.Connections(), 3)
	stop()
	sending.Wait()
}

func TestADomainGetsNoMoreThanItsRate(t *testing.T) {
	t.Parallel()
	s := startServer(t, server.Options{})
	m, ctx := open(t, s.SMTPURL()+"?rate=slow.example:10/s"), bounded(t)
	started := time.Now()
	for i := range 4 {
		require.NoError(t, m.Send(ctx, plain(fmt.Sprint(i), "ann@slow.example")))
	}
	assert.GreaterOrEqual(t, time.Since(started), 290*time.Millisecond)
}

func TestLargeMailsAreRefusedForGood(t *testing.T) {
	t.Parallel()
	s := startServer(t, server.Options{})
	message := plain("large", "ann@example.org")
	message.Text = string(slices.Repeat([]byte("0123456789012345678901234567890123456789012345678901234567\n"), 190_000))
	var refused *cloud.MailError
	require.ErrorAs(t, open(t, s.SMTPURL()).Send(bounded(t), message), &refused)
	assert.True(t, refused.Permanent)
	assert.False(t, refused.Recipient)
	assert.Equal(t, 552, refused.Code)
}

func get(t *testing.T, url string) []byte {
	t.Helper()
	response, err := http.Get(url)
	require.NoError(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, response.StatusCode)
	return body
}
