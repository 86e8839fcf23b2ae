package mail_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/smtp"
	"net/textproto"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/drydock/drydock/emulator/mail"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		http.DefaultClient.CloseIdleConnections()
		os.Exit(code)
	}))
}

const limit = 2 * time.Minute

func start(t *testing.T, o mail.Options) *mail.Mail {
	t.Helper()
	m, err := mail.Start(o)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, m.Close()) })
	return m
}

func address(t *testing.T, m *mail.Mail) string {
	t.Helper()
	u, err := url.Parse(m.SMTPURL())
	require.NoError(t, err)
	return u.Host
}

// send sends a mail by the standard library's client.
func send(t *testing.T, m *mail.Mail, to, subject, rest string) error {
	t.Helper()
	text := "From: Bob <bob@example.com>\r\nTo: " + to + "\r\nSubject: " + subject + "\r\nMessage-ID: <" + subject + "@example.com>\r\n" + rest
	conn, err := net.Dial("tcp", address(t, m))
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, conn.SetDeadline(time.Now().Add(limit)))
	client, err := smtp.NewClient(conn, "localhost")
	if err != nil {
		return err
	}
	if err := client.Mail("bob@example.com"); err != nil {
		return err
	}
	if err := client.Rcpt(to); err != nil {
		return err
	}
	body, err := client.Data()
	if err != nil {
		return err
	}
	if _, err := io.WriteString(body, text); err != nil {
		return err
	}
	if err := body.Close(); err != nil {
		return err
	}
	return client.Quit()
}

const plain = "\r\nHello.\r\n"

func code(t *testing.T, err error) int {
	t.Helper()
	var answer *textproto.Error
	require.ErrorAs(t, err, &answer)
	return answer.Code
}

// do makes a request and decodes its answer, unless into is nil.
func do(t *testing.T, method, url, body string, into any) int {
	t.Helper()
	request, err := http.NewRequest(method, url, strings.NewReader(body))
	require.NoError(t, err)
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	if text, ok := into.(*string); ok {
		*text = string(answer)
	} else if into != nil {
		require.NoError(t, json.Unmarshal(answer, into), "%s", answer)
	}
	return response.StatusCode
}

const parts = "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=m\r\n\r\n--m\r\n" +
	"Content-Type: multipart/alternative; boundary=a\r\n\r\n--a\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nGr=FC=DFe\r\n" +
	"--a\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<b>Grüße</b>\r\n--a--\r\n" +
	"--m\r\nContent-Type: text/csv\r\nContent-Disposition: attachment; filename=prices.csv\r\nContent-Transfer-Encoding: base64\r\n\r\nYSxiCg==\r\n--m--\r\n"

func TestTheInboxShowsWhatCame(t *testing.T) {
	t.Parallel()
	m := start(t, mail.Options{})
	require.NoError(t, send(t, m, "ann@example.com", "first", plain))
	require.NoError(t, send(t, m, "Ann@example.com", "second", parts))
	require.NoError(t, send(t, m, "eve@example.com", "third", plain))

	var list []mail.Message
	assert.Equal(t, 200, do(t, "GET", m.URL()+"/v1/messages", "", &list))
	require.Len(t, list, 3)
	assert.Equal(t, []string{"third", "second", "first"}, []string{list[0].Subject, list[1].Subject, list[2].Subject}, "newest first")
	assert.Equal(t, []string{"eve@example.com"}, list[0].Recipients)
	assert.Equal(t, "third@example.com", list[0].MessageID)
	for query, want := range map[string]int{"to=ann@example.com": 2, "to=nobody": 0, "subject=IR": 2, "to=ANN@example.com&subject=sec": 1, "limit=2": 2} {
		assert.Equal(t, 200, do(t, "GET", m.URL()+"/v1/messages?"+query, "", &list))
		assert.Len(t, list, want, query)
	}
	for _, wrong := range []string{"0", "1001", "x"} {
		assert.Equal(t, 422, do(t, "GET", m.URL()+"/v1/messages?limit="+wrong, "", nil))
	}

	do(t, "GET", m.URL()+"/v1/messages?subject=second", "", &list)
	one := m.URL() + "/v1/messages/" + list[0].ID
	var message mail.Message
	assert.Equal(t, 200, do(t, "GET", one, "", &message))
	assert.Equal(t, "Grüße", strings.TrimSpace(message.Text))
	assert.Equal(t, "<b>Grüße</b>", strings.TrimSpace(message.HTML))
	assert.Equal(t, []mail.Attachment{{Name: "prices.csv", ContentType: "text/csv", Size: 4}}, message.Attachments)
	assert.Equal(t, "Bob <bob@example.com>", message.Header("from"))
	var raw string
	assert.Equal(t, 200, do(t, "GET", one+"/raw", "", &raw))
	assert.True(t, strings.HasSuffix(raw, parts), "%q", raw)

	assert.Equal(t, 204, do(t, "DELETE", one, "", nil))
	for _, path := range []string{one, one + "/raw", one + "/html", m.URL() + "/v1/messages/..%2f..%2fetc"} {
		assert.Equal(t, 404, do(t, "GET", path, "", nil))
	}
	assert.Equal(t, 404, do(t, "DELETE", one, "", nil))
	assert.Equal(t, 204, do(t, "DELETE", m.URL()+"/v1/messages", "", nil))
	do(t, "GET", m.URL()+"/v1/messages", "", &list)
	assert.Empty(t, list)
}

func TestMailsOutliveTheServer(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	m := start(t, mail.Options{Dir: dir})
	var group sync.WaitGroup
	for i := range 20 {
		group.Go(func() { assert.NoError(t, send(t, m, "ann@example.com", fmt.Sprint(i), plain)) })
	}
	group.Wait()
	before, err := m.Messages()
	require.NoError(t, err)
	require.Len(t, before, 20)
	require.NoError(t, m.Close())
	require.NoError(t, m.Close())
	half := filepath.Join(dir, "zzz.mail.part") // of a mail that was never acknowledged
	require.NoError(t, os.WriteFile(half, []byte("{"), 0o600))

	again := start(t, mail.Options{Dir: dir})
	after, err := again.Messages()
	require.NoError(t, err)
	assert.Equal(t, before, after)
	assert.NoFileExists(t, half)
	require.NoError(t, send(t, again, "ann@example.com", "new", plain))
	after, err = again.Messages()
	require.NoError(t, err)
	require.Len(t, after, 21)
	assert.Equal(t, "new", after[0].Subject)
	assert.Equal(t, 204, do(t, "DELETE", again.URL()+"/v1/messages", "", nil))
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Empty(t, left)
}

func TestItTakesTLSAndPasswords(t *testing.T) {
	t.Parallel()
	m := start(t, mail.Options{Username: "bob", Password: "secret"})
	assert.Equal(t, 530, code(t, send(t, m, "ann@example.com", "s", plain)))
	for password, want := range map[string]int{"secret": 0, "wrong": 535} {
		conn, err := net.Dial("tcp", address(t, m))
		require.NoError(t, err)
		client, err := smtp.NewClient(conn, "localhost")
		require.NoError(t, err)
		pool := x509.NewCertPool()
		require.True(t, pool.AppendCertsFromPEM(m.Certificate()))
		require.NoError(t, client.StartTLS(&tls.Config{RootCAs: pool, ServerName: "localhost"}))
		err = client.Auth(smtp.PlainAuth("", "bob", password, "localhost"))
		if want == 0 {
			require.NoError(t, err)
			assert.NoError(t, client.Mail("bob@example.com"))
		} else {
			assert.Equal(t, want, code(t, err))
		}
		client.Close()
	}
}

func TestMailsThatAreTooLargeAreRefused(t *testing.T) {
	t.Parallel()
	m := start(t, mail.Options{})
	large := "\r\n" + strings.Repeat(strings.Repeat("x", 998)+"\r\n", 10_600)
	assert.Equal(t, 552, code(t, send(t, m, "ann@example.com", "large", large)))
	messages, err := m.Messages()
	require.NoError(t, err)
	assert.Empty(t, messages)
}

func TestWhatIsNoMailIsKeptAllTheSame(t *testing.T) {
	t.Parallel()
	m := start(t, mail.Options{})
	deep := "Content-Type: multipart/mixed; boundary=b0\r\n\r\n"
	for i := range 1000 {
		deep += fmt.Sprintf("--b%d\r\nContent-Type: multipart/mixed; boundary=b%d\r\n\r\n", i, i+1)
	}
	for i, rest := range []string{"no header at all\r\n", deep, "Content-Type: text/plain; charset=unheard-of\r\n\r\n\xff\xfe\r\n", "Content-Type: multipart/mixed; boundary=x\r\n\r\n" + strings.Repeat("--x\r\n\r\npart\r\n", 1000)} {
		require.NoError(t, send(t, m, "ann@example.com", fmt.Sprint(i), rest))
	}
	messages, err := m.Messages()
	require.NoError(t, err)
	assert.Len(t, messages, 4)
}

func TestFaults(t *testing.T) {
	t.Parallel()
	m := start(t, mail.Options{})
	faults := m.URL() + "/v1/faults"
	set := func(body string) {
		t.Helper()
		require.Equal(t, 200, do(t, "PUT", faults, body, nil))
	}
	count := func() int {
		messages, err := m.Messages()
		require.NoError(t, err)
		return len(messages)
	}
	ann := func() error { return send(t, m, "ann@example.com", "s", plain) }

	set(`{"kind":"tempfail","times":2,"code":452,"words":"the disk is full"}`)
	for range 2 {
		err := ann()
		assert.Equal(t, 452, code(t, err))
		assert.ErrorContains(t, err, "4.3.0 the disk is full")
	}
	require.NoError(t, ann(), "twice, and no more")
	set(`{"kind":"reject"}`)
	assert.Equal(t, 554, code(t, ann()))
	assert.Equal(t, 204, do(t, "DELETE", faults, "", nil))
	require.NoError(t, ann())
	set(`{"kind":"reject_recipient","recipient":"eve@example.com"}`)
	err := send(t, m, "Eve@example.com", "s", plain)
	assert.Equal(t, 550, code(t, err))
	assert.ErrorContains(t, err, "5.1.1")
	require.NoError(t, ann(), "others are taken")
	m.ClearFaults()
	assert.Equal(t, 3, count())

	set(`{"kind":"close_in_data","times":1}`)
	assert.Error(t, ann())
	assert.Equal(t, 3, count())
	set(`{"kind":"close_after_data","times":1}`)
	assert.Error(t, ann())
	assert.Equal(t, 4, count(), "it was kept")
	set(`{"kind":"slow","times":1,"seconds":0.2}`)
	began := time.Now()
	require.NoError(t, ann())
	assert.GreaterOrEqual(t, time.Since(began), 200*time.Millisecond)
	set(`{"kind":"down"}`)
	assert.Error(t, ann())
	m.ClearFaults()
	require.NoError(t, ann())

	set(`{"kind":"hang","times":1}`)
	hanging := make(chan error, 1)
	go func() { hanging <- ann() }()
	require.Eventually(t, func() bool {
		var left []mail.Fault
		do(t, "GET", faults, "", &left)
		return len(left) == 0
	}, limit, 5*time.Millisecond)
	select {
	case err := <-hanging:
		t.Fatalf("it answered: %v", err)
	default:
	}
	require.NoError(t, m.Close())
	assert.Error(t, <-hanging)
}

func TestWrongFaultsAreRefused(t *testing.T) {
	t.Parallel()
	m := start(t, mail.Options{})
	for body, want := range map[string]int{
		"": 400, "{": 400, `{"kind":"reject","unknown":1}`: 400, `{"words":"` + strings.Repeat("x", 5000) + `"}`: 400,
		`{}`: 422, `{"kind":"x"}`: 422, `{"kind":"reject","code":250}`: 422, `{"kind":"reject","times":-1}`: 422,
		`{"kind":"reject","words":"a\r\nb"}`: 422, `{"kind":"slow","seconds":1e9}`: 422,
	} {
		assert.Equal(t, want, do(t, "PUT", m.URL()+"/v1/faults", body, nil), body)
	}
}

func TestEventsTellWhatHappens(t *testing.T) {
	t.Parallel()
	m := start(t, mail.Options{})
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, "GET", m.URL()+"/v1/events", nil)
	require.NoError(t, err)
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	assert.Equal(t, "text/event-stream", response.Header.Get("Content-Type"))
	lines := bufio.NewScanner(response.Body)
	next := func() (kind, data string) {
		for lines.Scan() {
			if rest, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
				kind = rest
			}
			if rest, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				return kind, rest
			}
		}
		return "", ""
	}
	require.NoError(t, send(t, m, "ann@example.com", "live", plain))
	kind, data := next()
	assert.Equal(t, "message", kind)
	var message mail.Message
	require.NoError(t, json.Unmarshal([]byte(data), &message))
	assert.Equal(t, "live", message.Subject)
	require.Equal(t, 204, do(t, "DELETE", m.URL()+"/v1/messages/"+message.ID, "", nil))
	kind, data = next()
	assert.Equal(t, "removed", kind)
	assert.JSONEq(t, `{"id":"`+message.ID+`"}`, data)
	require.NoError(t, m.Close())
	kind, _ = next()
	assert.Empty(t, kind, "it ends with the server")
}

func TestPagesOfOthersCannotTouchTheInbox(t *testing.T) {
	t.Parallel()
	m := start(t, mail.Options{})
	request, err := http.NewRequest("DELETE", m.URL()+"/v1/messages", nil)
	require.NoError(t, err)
	request.Header.Set("Origin", "https://evil.example")
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	response.Body.Close()
	assert.Equal(t, http.StatusForbidden, response.StatusCode)
}

func TestATakenPortIsAnError(t *testing.T) {
	t.Parallel()
	m := start(t, mail.Options{})
	_, port, err := net.SplitHostPort(address(t, m))
	require.NoError(t, err)
	var number int
	_, err = fmt.Sscan(port, &number)
	require.NoError(t, err)
	_, err = mail.Start(mail.Options{SMTPPort: number})
	require.ErrorContains(t, err, "start mail server")
}

// A health check connects and hangs up.
func TestWhoOnlyLooksIsNothingToWarnOf(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	m, err := mail.Start(mail.Options{Dir: t.TempDir(), Logger: slog.New(slog.NewTextHandler(&log, nil))})
	require.NoError(t, err)
	for range 20 {
		conn, err := net.Dial("tcp", address(t, m))
		require.NoError(t, err)
		require.NoError(t, conn.(*net.TCPConn).SetLinger(0)) // it resets the connection
		require.NoError(t, conn.Close())
	}
	require.NoError(t, send(t, m, "ann@example.com", "after", "\r\nhello"))
	require.NoError(t, m.Close())
	assert.NotContains(t, log.String(), "WARN")
}
