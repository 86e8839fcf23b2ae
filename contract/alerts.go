package contract

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// AlertsCollection is the name of the records that hold Rule documents, by
// RecordKey of their owner and ID.
const AlertsCollection = "alerts"

// AlertStatesCollection is the name of the alerts worker's own records: how
// far it has come, and what its rules have seen.
const AlertStatesCollection = "alert-states"

// MailCollection is the name of the mailer's records: what was sent, what
// waits for a digest, and the addresses that want or take no more.
const MailCollection = "mail"

// Kinds of Condition.
const (
	Above   = "above"   // the price is at or over a level
	Below   = "below"   // the price is at or under a level
	Crosses = "crosses" // the price goes from one side of a level to the other
	Change  = "change"  // the price has changed by a percentage over a window
	Volume  = "volume"  // the volume is a multiple of its mean over a window
)

// Condition is what a rule waits for. It is met on a quote; an alert is fired
// when it becomes met, and again only after it was not met in between, by at
// least the hysteresis.
type Condition struct {
	Kind string `json:"kind" enum:"above,below,crosses,change,volume" doc:"What to wait for" example:"above"`
	// Price is the level of above, below and crosses. To crosses, a price is on
	// the upper side when it is over the level, by the hysteresis at least, and on
	// the lower side when it is so far under it; in between it stays where it
	// was. It has to be on a side first.
	Price float64 `json:"price,omitempty" doc:"The level, of above, below and crosses" example:"125.5"`
	// Percent is the change to wait for: 5 for a rise of 5 %, -5 for a fall. The
	// change is that from the last price that is at least a window old.
	Percent float64 `json:"percent,omitempty" doc:"The change, of change: 5 for a rise of 5 %, -5 for a fall" example:"-5"`
	// Factor is how many times the mean volume of the window's quotes, the new
	// one excepted, the volume of one quote has to be.
	Factor float64 `json:"factor,omitempty" doc:"Times the mean volume, of volume" example:"3"`
	// Window is the span that change and volume look back, in seconds. They have
	// no value, and nothing changes for the rule, before there is a quote that is
	// at least so old and came after the rule was set; volume needs a mean above
	// zero too.
	Window int `json:"window,omitempty" doc:"Seconds that change and volume look back, up to a day" example:"300"`
	// Hysteresis is how far back over the level the price has to go before the
	// alert can fire again: in units of the price for above, below and crosses,
	// in percentage points for change, in times the mean for volume.
	Hysteresis float64 `json:"hysteresis,omitempty" doc:"How far back the value has to go before it fires again, in the level's own unit" example:"0.5"`
}

// Rule is an alert that an owner has set. It sees the quotes of its symbol in
// the order of the stream, but for those that are not later than the one before.
type Rule struct {
	ID        string    `json:"id"`
	Owner     string    `json:"owner"`
	Symbol    string    `json:"symbol"`
	Note      string    `json:"note,omitempty"` // the owner's own words, sent along
	Condition Condition `json:"condition"`
	// Repeat fires at every crossing; else the rule is done after its first alert.
	Repeat bool `json:"repeat"`
	// CoolDown is how many seconds after an alert, by the market's time, no other
	// is fired; a crossing meanwhile passes unseen.
	CoolDown int       `json:"cool_down,omitempty"`
	Active   *Hours    `json:"active,omitempty"` // nil: always
	Paused   bool      `json:"paused"`
	Expires  time.Time `json:"expires,omitzero"`
	Channel  Channel   `json:"channel"`
	Created  time.Time `json:"created"`
	// Changed is when the owner last changed the rule; what it has seen before
	// counts no more. It applies to quotes, and looks back to quotes, of later
	// times only. It has to grow with each change, pausing and resuming included.
	Changed time.Time `json:"changed"`
}

// Hours are when a rule may fire, by the market's time of the quote. Outside
// of them nothing fires, and a crossing passes unseen.
type Hours struct {
	Days []string `json:"days,omitempty" doc:"Days of the week; all when empty" example:"[\"mon\",\"tue\"]"`
	From string   `json:"from" doc:"First minute, in the time zone" pattern:"^([01][0-9]|2[0-3]):[0-5][0-9]$" example:"09:30"`
	To   string   `json:"to" doc:"Minute that is no longer part; before From it is the next day's" pattern:"^([01][0-9]|2[0-4]):[0-5][0-9]$" example:"16:00"`
	// TimeZone is an IANA name.
	TimeZone string `json:"time_zone" doc:"IANA time zone" example:"America/New_York"`
}

// Kinds of Channel.
const (
	Email   = "email"
	Webhook = "webhook"
)

// Channel is where a rule's alerts go.
type Channel struct {
	Kind    string `json:"kind" enum:"email,webhook" doc:"How to tell" example:"email"`
	Address string `json:"address" doc:"An e-mail address, or the URL to POST to" maxLength:"2000" example:"ann@example.com"`
	// Secret signs a webhook's requests.
	Secret string `json:"secret,omitempty"`
}

// Bounds of a rule.
const (
	MaxWindow   = 24 * 60 * 60       // seconds
	MaxCoolDown = 366 * 24 * 60 * 60 // seconds
	MaxNote     = 500                // bytes
)

var days = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// Span is Hours made ready to be asked; the zero Span is always.
type Span struct {
	days     [7]bool
	from, to int // minutes of the day; to may be up to 24 hours after from
	zone     *time.Location
}

// Compile reads the hours, and returns an error for people when they are none.
func (h Hours) Compile() (Span, error) {
	s := Span{}
	for _, day := range h.Days {
		i := slices.Index(days, strings.ToLower(day))
		if i < 0 {
			return Span{}, fmt.Errorf("active hours: day %.20q is not one of %s", day, strings.Join(days, ", "))
		}
		s.days[i] = true
	}
	if len(h.Days) == 0 {
		s.days = [7]bool{true, true, true, true, true, true, true}
	}
	var ok bool
	if s.from, ok = minutes(h.From); !ok || s.from == 24*60 {
		return Span{}, fmt.Errorf("active hours: from %.20q is not a time as 09:30", h.From)
	}
	if s.to, ok = minutes(h.To); !ok {
		return Span{}, fmt.Errorf("active hours: to %.20q is not a time as 16:00", h.To)
	}
	if s.to <= s.from {
		s.to += 24 * 60
	}
	var err error
	if h.TimeZone == "" {
		return Span{}, fmt.Errorf("active hours: a time_zone is needed, as America/New_York")
	}
	if s.zone, err = loadZone(h.TimeZone); err != nil {
		return Span{}, fmt.Errorf("active hours: time_zone %.40q is not known", h.TimeZone)
	}
	return s, nil
}

// zones are the time zones that were loaded, by name: all rules share them.
var zones sync.Map

func loadZone(name string) (*time.Location, error) {
	if zone, ok := zones.Load(name); ok {
		return zone.(*time.Location), nil
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, err
	}
	shared, _ := zones.LoadOrStore(name, zone)
	return shared.(*time.Location), nil
}

func minutes(text string) (int, bool) {
	hour, minute, found := strings.Cut(text, ":")
	h, err := strconv.Atoi(hour)
	m, err2 := strconv.Atoi(minute)
	if !found || len(text) != 5 || err != nil || err2 != nil || h < 0 || m < 0 || m > 59 || h > 24 || h == 24 && m > 0 {
		return 0, false
	}
	return h*60 + m, true
}

// Contains tells whether the moment is within the hours. The day is that on
// which the span began.
func (s Span) Contains(at time.Time) bool {
	if s.zone == nil {
		return true
	}
	local := at.In(s.zone)
	minute := local.Hour()*60 + local.Minute()
	today := int(local.Weekday())
	yesterday := (today + 6) % 7
	return s.days[today] && minute >= s.from && minute < s.to ||
		s.days[yesterday] && minute+24*60 < s.to
}

// Alert is one crossing of a rule, and the body of the events on TopicTriggered.
// Where it goes is in the rule, which is read when it is sent.
type Alert struct {
	// ID is "<rule>.<crossing>": the same crossing has the same ID whoever
	// finds it, however often.
	ID     string `json:"id"`
	Rule   string `json:"rule"`
	Owner  string `json:"owner"`
	Symbol string `json:"symbol"`
	Kind   string `json:"kind"` // of the condition
	// Price and Volume are those of the quote that crossed, Time its market's time.
	Price  float64   `json:"price"`
	Volume float64   `json:"volume"`
	Time   time.Time `json:"time"`
	// Level is what was crossed: the price, percentage or factor of the condition.
	Level float64 `json:"level"`
	// Value is what was compared with it: the price, the change in percent, or
	// how many times the mean volume it was.
	Value float64 `json:"value"`
}

// AlertID names a crossing of a rule by the time of the quote that crossed.
func AlertID(rule string, crossing time.Time) string {
	return rule + "." + strconv.FormatInt(crossing.UnixNano(), 36)
}

// TopicTriggered carries an owner's alerts, and TopicAllTriggered selects
// those of all owners.
func TopicTriggered(owner string) string { return TopicAllTriggered[:len(TopicAllTriggered)-1] + owner }

// TopicAllTriggered selects the alerts of all owners.
const TopicAllTriggered = "alerts.triggered.>"

// AlertTime is the market's time of the quote that crossed; ok is false for
// anything that is not the ID of an alert.
func AlertTime(id string) (crossed time.Time, ok bool) {
	_, crossing, found := strings.Cut(id, ".")
	nanoseconds, err := strconv.ParseInt(crossing, 36, 64)
	return time.Unix(0, nanoseconds), found && err == nil
}
