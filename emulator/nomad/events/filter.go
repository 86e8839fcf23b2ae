package events

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/nomad/api"
)

// The topics that the official client has no name for.
const (
	TopicHostVolume = api.Topic("HostVolume")
	TopicCSIVolume  = api.Topic("CSIVolume")
	TopicCSIPlugin  = api.Topic("CSIPlugin")
)

// Filter tells whether a subscriber wants an event.
type Filter func(*Event) bool

// Topics are the keys that a subscriber asks for by topic; "*" is each of them.
type Topics map[api.Topic][]string

// TopicError says that a text is no topic with a key.
type TopicError struct{ Text string }

func (e *TopicError) Error() string {
	return fmt.Sprintf("Invalid key value pair for topic, topic: %s", e.Text)
}

// ParseTopics reads the parameter topic, in the form Topic:key or Topic; none
// at all is everything. The error is a *TopicError.
func ParseTopics(texts []string) (Topics, error) {
	if len(texts) == 0 {
		return Topics{api.TopicAll: {"*"}}, nil
	}
	topics := Topics{}
	for _, text := range texts {
		parts := strings.Split(text, ":")
		key := "*"
		switch len(parts) {
		case 1:
		case 2:
			key = parts[1]
		default:
			return nil, &TopicError{text}
		}
		topic := api.Topic(parts[0])
		topics[topic] = append(topics[topic], key)
	}
	return topics, nil
}

// Wants tells whether an event is of one of the topics, with one of its keys.
func (t Topics) Wants(e *Event) bool {
	return wanted(t[e.Topic], e) || wanted(t[api.TopicAll], e)
}

func wanted(keys []string, e *Event) bool {
	return slices.ContainsFunc(keys, func(key string) bool {
		return key == "*" || key == e.Key || slices.Contains(e.FilterKeys, key)
	})
}
