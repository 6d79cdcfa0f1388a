// Creates a webhook with franz-go and its client of the schema registry, and prints the outcome.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"strings"
	"time"

	"github.com/hamba/avro/v2"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sr"
)

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}

func write(ctx context.Context, client *kgo.Client, registry *sr.Client, prefix, tenant, hook, file, command string) {
	text := string(must(os.ReadFile(file)))
	schema := avro.MustParse(text)
	created := must(registry.CreateSchema(ctx, prefix+"webhook-admin-value", sr.Schema{Schema: text}))
	var serde sr.Serde
	serde.Register(created.ID, map[string]any{}, sr.EncodeFn(func(value any) ([]byte, error) { return avro.Marshal(schema, value) }))
	value := must(serde.Encode(map[string]any{
		"commandId": command,
		"tenantId":  tenant,
		"requestId": nil,
		"clientId":  nil,
		"timestamp": time.Now(),
		"operation": map[string]any{"posthorn.v1.CreateWebhook": map[string]any{
			"events": []string{"OpenIdCredentialIssued"}, "url": hook, "disabled": false,
		}},
	}))
	record := &kgo.Record{Topic: prefix + "webhook-admin", Key: []byte(tenant), Value: value}
	must(0, client.ProduceSync(ctx, record).FirstErr())
}

// What a union holds: hamba gives it the name of its branch.
func branch(value any) any {
	if named, ok := value.(map[string]any); ok {
		for _, inner := range named {
			return inner
		}
	}
	return value
}

func read(ctx context.Context, client *kgo.Client, registry *sr.Client, command string) {
	var header sr.ConfluentHeader
	for {
		fetches := client.PollFetches(ctx)
		must(0, ctx.Err())
		for _, record := range fetches.Records() {
			id, body, err := header.DecodeID(record.Value)
			must(0, err)
			schema := avro.MustParse(must(registry.SchemaByID(ctx, id)).Schema)
			var event map[string]any
			must(0, avro.Unmarshal(schema, body, &event))
			if branch(event["commandId"]) == command && !strings.HasSuffix(event["type"].(string), "_START") {
				line := must(json.Marshal(map[string]any{"type": event["type"], "status": branch(event["status"])}))
				fmt.Println(string(line))
				return
			}
		}
	}
}

func main() {
	bootstrap, url, prefix, tenant, hook, file := os.Args[1], os.Args[2], os.Args[3], os.Args[4], os.Args[5], os.Args[6]
	command := fmt.Sprintf("go-%d", time.Now().UnixNano())
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	registry := must(sr.NewClient(sr.URLs(url)))
	client := must(kgo.NewClient(kgo.SeedBrokers(bootstrap), kgo.ConsumeTopics(prefix+"webhook-results"),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart())))
	defer client.Close()
	write(ctx, client, registry, prefix, tenant, hook, file, command)
	read(ctx, client, registry, command)
}
