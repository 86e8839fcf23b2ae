package contract

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"math"
	"strings"
	"time"
)

// QuotesCollection is the name of the records that the market's clients keep:
// what was published last, and what the vendor's rate limit leaves.
const QuotesCollection = "quotes"

// Quote is one price of one symbol, and the body of the events on its topic.
type Quote struct {
	Symbol string  `json:"symbol"`
	Price  float64 `json:"price"`
	// Volume is what was traded since the symbol's quote before.
	Volume float64   `json:"volume"`
	Time   time.Time `json:"time"` // the market's
}

// QuotePartitions is how many parts the symbols are spread over. All quotes of
// a symbol are in one part, and a part is followed by one instance at a time,
// which keeps them in order.
const QuotePartitions = 32

// QuotePartition is the part that a symbol belongs to.
func QuotePartition(symbol string) int {
	hash := fnv.New32a()
	hash.Write([]byte(symbol))
	return int(hash.Sum32() % QuotePartitions)
}

// TopicQuote carries a symbol's quotes: "quotes.<partition>.<symbol>".
func TopicQuote(symbol string) string {
	return fmt.Sprintf("quotes.%02d.%s", QuotePartition(symbol), topicWord(symbol))
}

// TopicQuotes selects the quotes of one part.
func TopicQuotes(partition int) string { return fmt.Sprintf("quotes.%02d.>", partition) }

// topicWord writes text as one word of a topic; what a word cannot hold becomes _XX.
func topicWord(text string) string {
	var word strings.Builder
	for _, c := range []byte(text) {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' {
			word.WriteByte(c)
		} else {
			fmt.Fprintf(&word, "_%02X", c)
		}
	}
	return word.String()
}

// ValidSymbol tells whether a name can be a symbol, as vendors write them:
// "ACME", "BRK.B", "^GSPC", "EURUSD=X", "BTC-USD". Every quote is asked, which
// a regular expression would slow down.
func ValidSymbol(name string) bool {
	for i, c := range []byte(name) {
		letter := c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '^'
		if !letter && (i == 0 || !strings.ContainsRune(".=_:/-", rune(c))) {
			return false
		}
	}
	return name != "" && len(name) <= 32
}

// ID is the deduplication key of the quote's event: symbol and time.
func (q Quote) ID() string { return q.Symbol + "@" + q.Time.UTC().Format(time.RFC3339Nano) }

// Check returns an error when the quote is none: a price that is not a
// positive number, a negative volume, no time.
func (q Quote) Check() error {
	switch {
	case !ValidSymbol(q.Symbol):
		return fmt.Errorf("quote: symbol %.40q is not 1 to 32 letters, digits and . ^ = _ : / -", q.Symbol)
	case !(q.Price > 0) || math.IsInf(q.Price, 0):
		return fmt.Errorf("quote of %s: price %v is not a positive number", q.Symbol, q.Price)
	case !(q.Volume >= 0) || math.IsInf(q.Volume, 0):
		return fmt.Errorf("quote of %s: volume %v is not zero or more", q.Symbol, q.Volume)
	case q.Time.IsZero():
		return fmt.Errorf("quote of %s: it has no time", q.Symbol)
	}
	return nil
}

// ParseQuote reads the body of a quote's event and checks it.
func ParseQuote(data []byte) (Quote, error) {
	var q Quote
	if err := json.Unmarshal(data, &q); err != nil {
		return Quote{}, fmt.Errorf("read quote: %w", err)
	}
	return q, q.Check()
}

// recordSegment writes text so that it can be a segment of a record's key.
func recordSegment(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
