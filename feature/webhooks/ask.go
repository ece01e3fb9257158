package webhooks

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"parley/internal/fault"
)

// Question is a request to a program whose answer somebody waits for.
type Question struct {
	URL    string
	Secret string // signs the request
	Event  string
	ID     string // tells requests apart
	Body   []byte // JSON
}

// Answer is what a program says to a question.
type Answer struct {
	Text   string
	Link   string
	Public bool // everybody in the conversation is to see it
}

// The limits of an answer.
const (
	patience      = 10 * time.Second
	maxAnswer     = 64 << 10
	maxAnswerText = 4000 // characters
)

// Ask asks a program, with the same signature and the same rules for addresses as deliveries. It waits for the answer
// for ten seconds at most. A fault.Error says what to tell the person who waits. It is Busy, as the program is at fault
// and not who asks.
func (w *Webhooks) Ask(ctx context.Context, q Question) (Answer, error) {
	if err := CheckAddress(q.URL, len(w.cfg.Allow) > 0); err != nil {
		return Answer{}, fault.New(fault.Busy, "", "The address of this action is not allowed any more")
	}
	ctx, cancel := context.WithTimeout(ctx, min(patience, w.cfg.Timeout))
	defer cancel()
	done := w.asks.take(ctx, q.URL)
	if done == nil {
		return Answer{}, w.unanswered(q, ctx.Err())
	}
	answered := false
	defer func() { done(answered) }()
	res, err := w.call(ctx, signed{q.URL, q.Secret, q.Event, q.ID, q.Body})
	if err != nil {
		return Answer{}, w.unanswered(q, err)
	}
	defer res.Body.Close()
	if err := refusedBy(res); err != nil {
		answered = true
		w.h.Log.Info("action: the program refuses", "id", q.ID, "err", err)
		return Answer{}, fault.New(fault.Busy, "", "The program answered with an error ({{.Status}})",
			"Status", strconv.Itoa(res.StatusCode))
	}
	b, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	if err != nil {
		return Answer{}, w.unanswered(q, err)
	}
	answered = true
	a, err := readAnswer(b)
	if err != nil {
		w.h.Log.Info("action: the answer is no good", "id", q.ID, "err", err)
	}
	return a, err
}

// unanswered says why no answer came.
func (w *Webhooks) unanswered(q Question, err error) error {
	w.h.Log.Info("action: no answer", "id", q.ID, "err", err)
	var slow net.Error
	switch {
	case errors.Is(err, errPrivate):
		return fault.New(fault.Busy, "", "The program is in a network that the server may not reach: "+
			"webhooks.allow of the configuration may name it")
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &slow) && slow.Timeout():
		return fault.New(fault.Busy, "", "The program did not answer in time. It may have done what was asked: look "+
			"before you try again")
	case errors.Is(err, context.Canceled):
		return err
	}
	return fault.New(fault.Busy, "", "The program cannot be reached")
}

// readAnswer reads what a program has answered. No content is an answer too.
func readAnswer(b []byte) (a Answer, err error) {
	if len(b) > maxAnswer {
		return a, fault.New(fault.Busy, "", "The answer of the program is too large")
	}
	if len(bytes.TrimSpace(b)) == 0 {
		return a, nil
	}
	var said struct {
		Text    string `json:"text"`
		Link    string `json:"link"`
		Visible string `json:"visible"`
	}
	if !utf8.Valid(b) || json.Unmarshal(b, &said) != nil {
		return a, fault.New(fault.Busy, "", "The answer of the program cannot be read")
	}
	a.Text = strings.TrimSpace(clean(strings.ReplaceAll(said.Text, "\r\n", "\n")))
	if utf8.RuneCountInString(a.Text) > maxAnswerText {
		return a, fault.New(fault.Busy, "", "The answer of the program is too large")
	}
	switch said.Visible {
	case "conversation":
		a.Public = a.Text != "" || said.Link != ""
	case "only-me", "":
	default:
		return a, fault.New(fault.Busy, "", "The answer of the program cannot be read")
	}
	if said.Link == "" {
		return a, nil
	}
	u, err := url.Parse(said.Link)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || len(said.Link) > MaxAddress ||
		strings.ContainsAny(said.Link, " \t\r\n<>\"") {
		return a, fault.New(fault.Busy, "", "The answer of the program has a link that is no address of a page")
	}
	a.Link = said.Link
	return a, nil
}
