package webhooks

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"math"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"golang.org/x/time/rate"

	"parley/internal/door"
	"parley/internal/fault"
	"parley/internal/slot"
	"parley/store"
)

const (
	maxRequest = 64 << 10
	maxKey     = 128
	readTime   = 10 * time.Second // for reading one request
)

// request is what a program posts.
type request struct {
	Text  string `json:"text"`
	Title string `json:"title"`
	Link  string `json:"link"`
	File  string `json:"file"`  // URL
	Theme string `json:"theme"` // key of a theme of the webhook's group
}

// answer is the JSON of the response.
type answer struct {
	ID   string `json:"id"` // stanza-id
	Room string `json:"room"`
}

// problem is a mistake in a request.
type problem struct {
	status int
	text   string
}

func (p *problem) Error() string { return p.text }

// ServeHTTP takes POST <token>; the caller has stripped the path before that.
func (w *Webhooks) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	rw.Header().Set("Cache-Control", "no-store")
	rw.Header().Set("X-Content-Type-Options", "nosniff")
	a, err := w.take(rw, r)
	var p *problem
	switch {
	case err == nil:
		rw.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(rw).Encode(a) // the program has hung up
	case errors.As(err, &p):
		http.Error(rw, p.text, p.status)
	default:
		door.Failed(r.Context(), w.h.Log, "webhook", "err", err)
		http.Error(rw, "something is wrong here; try again later", http.StatusInternalServerError)
	}
}

// Handler serves POST <token> for several hosts, of which the token tells one; the caller has stripped the path before
// that.
func Handler(hosts []*Webhooks) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		for _, w := range hosts {
			if _, err := w.find(r.Context(), strings.Trim(r.URL.Path, "/")); err == nil {
				w.ServeHTTP(rw, r)
				return
			}
		}
		http.Error(rw, "there is no such webhook", http.StatusNotFound)
	})
}

func (w *Webhooks) find(ctx context.Context, secret string) (store.Webhook, error) {
	if len(secret) > 100 {
		return store.Webhook{}, store.ErrNotFound
	}
	sum := sha256.Sum256([]byte(secret))
	hook, err := w.st.WebhookByToken(ctx, sum[:])
	if err == nil && hook.Host != w.h.Domain {
		err = store.ErrNotFound
	}
	return hook, err
}

func (w *Webhooks) take(rw http.ResponseWriter, r *http.Request) (answer, error) {
	hook, err := w.find(r.Context(), strings.Trim(r.URL.Path, "/"))
	if errors.Is(err, store.ErrNotFound) || err == nil && hook.Disabled {
		return answer{}, &problem{http.StatusNotFound, "there is no such webhook"}
	}
	if err != nil {
		return answer{}, err
	}
	if r.Method != http.MethodPost {
		rw.Header().Set("Allow", "POST")
		return answer{}, &problem{http.StatusMethodNotAllowed, "use POST"}
	}
	p := w.paceOf(hook.ID)
	if res := p.limiter.Reserve(); res.Delay() > 0 {
		rw.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(res.Delay().Seconds()))))
		res.Cancel()
		return answer{}, &problem{http.StatusTooManyRequests, "too many requests: wait"}
	}
	door.Allow(r.Context(), readTime, readTime)
	q, err := read(rw, r)
	if err != nil {
		return answer{}, err
	}
	key := r.Header.Get("Idempotency-Key")
	if len(key) > maxKey {
		return answer{}, &problem{http.StatusBadRequest, "the Idempotency-Key is longer than 128 bytes"}
	}
	if key != "" {
		if err := p.keyed.Take(r.Context()); err != nil {
			return answer{}, err
		}
		defer p.keyed.Free()
	}
	return w.post(r.Context(), hook, q, key)
}

func (w *Webhooks) paceOf(id string) *pace {
	w.mu.Lock()
	defer w.mu.Unlock()
	p := w.paces[id]
	if p == nil {
		p = &pace{keyed: slot.New(), limiter: rate.NewLimiter(rate.Limit(w.cfg.Rate), w.cfg.Burst)}
		w.paces[id] = p
	}
	return p
}

// read reads JSON or a form with the same names, as a page or curl sends it.
func read(rw http.ResponseWriter, r *http.Request) (q request, err error) {
	r.Body = http.MaxBytesReader(rw, r.Body, maxRequest)
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if kind == "application/x-www-form-urlencoded" {
		err = r.ParseForm()
		q = request{
			Text:  r.PostForm.Get("text"),
			Title: r.PostForm.Get("title"),
			Link:  r.PostForm.Get("link"),
			File:  r.PostForm.Get("file"),
			Theme: r.PostForm.Get("theme"),
		}
	} else {
		var b []byte
		if b, err = io.ReadAll(r.Body); err == nil {
			err = json.Unmarshal(b, &q)
		}
	}
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return q, &problem{http.StatusRequestEntityTooLarge, "the request is larger than 64 KiB"}
	}
	if err != nil {
		return q, &problem{http.StatusBadRequest,
			`the body must be JSON like {"text": "…", "title": "…", "link": "https://…", "file": "https://…", "theme": "…"}`}
	}
	for _, u := range []string{q.Link, q.File} {
		if x, err := url.Parse(u); u != "" &&
			(err != nil || x.Host == "" || x.Scheme != "https" && x.Scheme != "http" || len(u) > 2048) {
			return q, &problem{http.StatusBadRequest, "link and file are http addresses"}
		}
	}
	if strings.TrimSpace(q.Text+q.Title+q.Link+q.File) == "" {
		return q, &problem{http.StatusBadRequest, "there is nothing to post: give a text, title, link or file"}
	}
	return q, nil
}

// body combines title, text and link into one text.
func (q request) body() string {
	var lines []string
	for _, s := range []string{strings.TrimSpace(q.Title), strings.TrimSpace(q.Text), q.Link} {
		if s != "" {
			lines = append(lines, clean(s))
		}
	}
	if q.Title != "" && len(lines) > 0 {
		lines[0] = "*" + lines[0] + "*" // XEP-0393
	}
	return strings.Join(lines, "\n")
}

// clean removes characters that XML does not allow.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n', r == '\t', r >= 0x20 && r <= 0xd7ff, r >= 0xe000 && r <= 0xfffd, r >= 0x10000:
			return r
		}
		return -1
	}, s)
}

// post posts the message in the room, once for each key.
func (w *Webhooks) post(ctx context.Context, hook store.Webhook, q request, key string) (answer, error) {
	room, err := w.room(ctx, hook, q.Theme)
	if err != nil {
		return answer{}, err
	}
	to := w.o.RoomJID(w.h.Domain, room).String()
	p := Post{Hook: hook.ID, Name: hook.Name, Body: q.body(), File: q.File}
	if key != "" {
		id, err := w.begin(ctx, &p, key)
		if err != nil {
			return answer{}, err
		}
		if id != 0 {
			return answer{id.String(), to}, nil
		}
	}
	id, err := w.cfg.Post(ctx, room, p)
	if f := fault.Of(err); f != nil { // of the room: the request is as it should be
		return answer{}, &problem{http.StatusConflict, f.Error()}
	}
	if err != nil {
		return answer{}, err
	}
	if key != "" { // whether or not the program waits for the answer
		if err := w.st.SetHookKey(context.WithoutCancel(ctx), w.h.Domain, hook.ID, key, id); err != nil {
			w.h.Log.Error("cannot keep an idempotency key: the next request with it finds the message",
				"hook", hook.ID, "err", err)
		}
	}
	return answer{id.String(), to}, nil
}

// begin notes that a key is used before anything is posted under it: even if this process or its caller goes away, the
// next request with the key finds the message if it was posted. It gives the message's id if that is known.
func (w *Webhooks) begin(ctx context.Context, p *Post, key string) (store.ID, error) {
	id, err := w.st.HookKey(ctx, w.h.Domain, p.Hook, key)
	if !errors.Is(err, store.ErrNotFound) {
		return id, err
	}
	sum := sha256.Sum256([]byte(p.Hook + "\x00" + key))
	p.Once = "hook-" + hex.EncodeToString(sum[:16])
	since, fresh, err := w.st.BeginHookKey(ctx, w.h.Domain, p.Hook, key, w.h.IDs.Next())
	if !fresh {
		p.Since = since
	}
	return 0, err
}

// room gives the room to post in: the webhook's own, or a theme's of its group.
func (w *Webhooks) room(ctx context.Context, hook store.Webhook, theme string) (string, error) {
	gone := &problem{http.StatusGone, "the group or theme of this webhook no longer exists"}
	g, err := w.o.GroupByID(ctx, w.h.Domain, hook.Group)
	if err != nil {
		return "", orGone(err, gone)
	}
	if hook.Theme != "" {
		if theme != "" && theme != hook.Theme {
			return "", &problem{http.StatusForbidden, "this webhook is for another theme"}
		}
		theme = hook.Theme
	}
	if theme == "" {
		return g.Room, nil
	}
	t, err := w.o.Theme(ctx, w.h.Domain, theme)
	if err == nil && t.Group == hook.Group {
		return t.Room, nil
	}
	return "", orGone(err, &problem{http.StatusNotFound, "there is no such theme in the group"})
}

func orGone(err error, p *problem) error {
	if err == nil || fault.Is(err, fault.NotFound) {
		return p
	}
	return err
}
