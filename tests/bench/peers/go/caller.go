package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	path        = "/hook"
	components  = `("@method" "@authority" "@path" "content-digest" "content-type" "webhook-id" "webhook-timestamp")`
	answerBytes = 64 << 10
)

// A caller makes one request at a time. It keeps what all of its requests have in common, and a
// buffer for the texts that it signs.
type caller struct {
	transport *http.Transport
	url       *url.URL
	key       ed25519.PrivateKey
	keyid     string
	header    http.Header
	text      []byte
}

func newCaller(transport *http.Transport, authority string, key ed25519.PrivateKey) *caller {
	return &caller{
		transport: transport,
		url:       &url.URL{Scheme: "http", Host: authority, Path: path},
		key:       key,
		keyid:     thumbprint(key.Public().(ed25519.PublicKey)),
		header:    newHeader(),
		text:      make([]byte, 0, 4096),
	}
}

func newHeader() http.Header {
	return http.Header{
		"Accept":              {"*/*"},
		"Content-Type":        {"application/json"},
		"User-Agent":          {"posthorn/bench"},
		"Webhook-Id":          {""},
		"Webhook-Timestamp":   {""},
		"Webhook-Signature":   {""},
		"Content-Digest":      {""},
		"Signature-Input":     {""},
		"Signature":           {""},
		"Posthorn-Event-Type": {"OpenIdCredentialIssued"},
		"Posthorn-Webhook-Id": {"0b8e7f0c-4c1e-4f0f-9a38-0d8f1d1c9a11"},
	}
}

// Source: RFC 7638 section 3, RFC 8037 section 2.
func thumbprint(public ed25519.PublicKey) string {
	x := base64.RawURLEncoding.EncodeToString(public)
	sum := sha256.Sum256([]byte(`{"crv":"Ed25519","kty":"OKP","x":"` + x + `"}`))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// idOf makes a version 8 UUID of a record's place, so that all attempts have the same.
func idOf(record *kgo.Record) string {
	var raw [16]byte
	var text [36]byte
	binary.BigEndian.PutUint32(raw[:], uint32(record.Partition))
	binary.BigEndian.PutUint64(raw[8:], uint64(record.Offset))
	raw[6], raw[8] = 0x80, 0x80
	for i, at := range [...]struct{ from, to int }{{0, 4}, {4, 6}, {6, 8}, {8, 10}, {10, 16}} {
		hex.Encode(text[2*at.from+i:], raw[at.from:at.to])
		if i > 0 {
			text[2*at.from+i-1] = '-'
		}
	}
	return string(text[:])
}

func bodyOf(record *kgo.Record, id string, now time.Time) []byte {
	body := make([]byte, 0, len(record.Value)+192)
	body = append(body, `{"deliveryId":"`...)
	body = append(body, id...)
	body = append(body, `","deliveryTimestamp":"`...)
	body = now.UTC().AppendFormat(body, "2006-01-02T15:04:05.000Z")
	body = append(body, `","webhookId":"`...)
	body = append(body, record.Key...)
	body = append(body, `","event":`...)
	body = append(body, record.Value...)
	return append(body, '}')
}

// signature returns that of the caller's text.
func (c *caller) signature() string {
	return base64.StdEncoding.EncodeToString(ed25519.Sign(c.key, c.text))
}

func (c *caller) put(parts ...string) {
	for _, part := range parts {
		c.text = append(c.text, part...)
	}
}

// Source: RFC 9421 section 2.5, and Standard Webhooks, "Signature scheme".
func (c *caller) sign(d *delivery, seconds string) {
	sum := sha256.Sum256(d.body)
	digest := "sha-256=:" + base64.StdEncoding.EncodeToString(sum[:]) + ":"
	parameters := components + ";created=" + seconds + `;keyid="` + c.keyid + `"`

	c.text = c.text[:0]
	c.put("\"@method\": POST\n\"@authority\": ", c.url.Host, "\n\"@path\": ", c.url.Path)
	c.put("\n\"content-digest\": ", digest, "\n\"content-type\": application/json")
	c.put("\n\"webhook-id\": ", d.id, "\n\"webhook-timestamp\": ", seconds)
	c.put("\n\"@signature-params\": ", parameters)
	c.header["Signature"][0] = "sig1=:" + c.signature() + ":"

	c.text = c.text[:0]
	c.put(d.id, ".", seconds, ".")
	c.text = append(c.text, d.body...)
	c.header["Webhook-Signature"][0] = "v1a," + c.signature()

	c.header["Content-Digest"][0] = digest
	c.header["Signature-Input"][0] = "sig1=" + parameters
	c.header["Webhook-Id"][0] = d.id
	c.header["Webhook-Timestamp"][0] = seconds
}

// call makes one attempt, and says whether it succeeded. The transport alone follows no redirects
// and keeps no cookies.
func (c *caller) call(d *delivery) bool {
	now := time.Now()
	if d.body == nil {
		d.id = idOf(d.record)
		d.body = bodyOf(d.record, d.id, now)
	}
	c.sign(d, strconv.FormatInt(now.Unix(), 10))
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	content := d.body
	body := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content)), nil }
	request := &http.Request{Method: "POST", URL: c.url, Header: c.header, GetBody: body, ContentLength: int64(len(content))}
	request.Body, _ = body()
	response, err := c.transport.RoundTrip(request.WithContext(ctx))
	if err != nil {
		// The transport may still be reading the header.
		c.header = newHeader()
		return false
	}
	_, err = io.Copy(io.Discard, io.LimitReader(response.Body, answerBytes))
	response.Body.Close()
	return err == nil && response.StatusCode/100 == 2
}
