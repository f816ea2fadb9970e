package invoices

import (
	"strconv"
	"strings"
)

// product is one article, with its CSV field ready to be written.
type product struct {
	code    string
	field   string // the description, quoted where it has to be
	cents   int
	demand  int // by popularity, before the season
	section int // index in ranges
	family  int // the same thing in the same material
	sibling int // the product often bought with this one, or -1
}

// catalogue is everything that the shop sells.
type catalogue struct{ products []product }

// ranges are the families of the assortment. Every thing comes in every material and variant of its range.
var ranges = []struct {
	things    []string
	materials []string
	variants  []string
	cents     int      // the typical price
	season    *[12]int // demand by month, in percent
}{
	{
		things:    []string{"mug", "tea pot", "milk jug", "cake stand", "storage jar", "egg cup", "crème brûlée dish", "soup bowl"},
		materials: []string{"stoneware", "enamel", "porcelain", "earthenware", "glazed"},
		variants:  []string{", sage", ", rose", ", midnight blue", ", sand", ", white", `, "Sunday" edition`, " set of 4", " gift box", ", café print", ", speckled"},
		cents:     695, season: &[12]int{100, 100, 100, 100, 100, 95, 90, 90, 100, 105, 120, 120},
	},
	{
		things:    []string{"tea towel", "table runner", "apron", "cushion cover", "napkin", "oven glove", "shopping bag", "door stop"},
		materials: []string{"linen", "cotton", "wool", "hemp", "recycled"},
		variants:  []string{", striped", ", checked", ", natural", ", ochre", ", indigo", " set of 2", ", bees", ", swallows", ", lemons", ", plain"},
		cents:     495, season: &[12]int{100, 95, 100, 105, 105, 100, 95, 95, 100, 100, 105, 110},
	},
	{
		things:    []string{"chopping board", "spoon", "tray", "coaster", "coat hook", `picture frame 10" x 8"`, "stool", "bread bin"},
		materials: []string{"oak", "bamboo", "walnut", "beech", "acacia"},
		variants:  []string{" small", " large", ", oiled", ", engraved", " set of 6", ", round", ", square", ", dark"},
		cents:     895, season: &[12]int{95, 95, 100, 100, 100, 100, 100, 100, 105, 105, 115, 115},
	},
	{
		things:    []string{"watering can", "plant pot", "bird feeder", "lantern", "seed tin", "garden sign", "wind chime", "herb planter"},
		materials: []string{"zinc", "terracotta", "willow", "copper", "iron"},
		variants:  []string{" small", " large", ", green", ", rust", ", herb garden", " trio", ", hanging", ", antique"},
		cents:     1095, season: &[12]int{40, 60, 130, 190, 210, 180, 140, 100, 70, 50, 40, 40},
	},
	{
		things:    []string{"gift wrap", "birthday card", "notebook", "paper chain", "sticker sheet", "gift tag", "photo album", "bunting"},
		materials: []string{"kraft paper", "recycled paper", "washi", "letterpress"},
		variants:  []string{", dots", ", stars", ", foxes", ", wild flowers", ", plain", ", balloons", ", botanical", ", maps", " pack of 12", " roll"},
		cents:     195, season: &[12]int{80, 85, 90, 95, 100, 95, 90, 90, 95, 110, 150, 160},
	},
	{
		things:    []string{"star", "bauble", "wreath", "candle holder", "advent calendar", "nativity figure", "garland", "stocking"},
		materials: []string{"straw", "glass", "felt", "tin", "knitted", "paper"},
		variants:  []string{", red", ", gold", ", frosted", " set of 3", " mini", ", hand painted", ", silver", ", green"},
		cents:     395, season: &[12]int{20, 10, 5, 5, 5, 5, 10, 40, 130, 260, 420, 330},
	},
}

const (
	// leaders is how many of the best-selling products have a sibling that is bought with them, leadShare how often.
	leaders   = 60
	leadShare = 45_000
)

// newCatalogue lays out all products and deals their popularity: the product of rank r sells as 1/(r+40), Zipf's law
// with a flattened head.
func newCatalogue(d *dice) *catalogue {
	c := &catalogue{}
	var families int
	for r, family := range ranges {
		for _, thing := range family.things {
			for _, material := range family.materials {
				families++
				base := family.cents * (50 + d.below(150)) / 100
				for v, variant := range family.variants {
					c.products = append(c.products, product{
						code:    stockCode(len(c.products), v),
						field:   quoted(strings.ToUpper(material[:1]) + material[1:] + " " + thing + variant),
						cents:   price(base * (90 + d.below(40)) / 100),
						section: r,
						family:  families,
						sibling: -1,
					})
				}
			}
		}
	}
	for rank, i := range d.shuffled(len(c.products)) {
		c.products[i].demand = 100_000_000 / (rank + 40)
		if rank < leaders {
			c.products[i].sibling = c.beside(i)
		}
	}
	return c
}

// beside returns the product next to i in its family: the same thing in another variant.
func (c *catalogue) beside(i int) int {
	if i+1 < len(c.products) && c.products[i+1].family == c.products[i].family {
		return i + 1
	}
	return i - 1
}

// shelf weighs the products by their demand in a month.
func (c *catalogue) shelf(month int) wheel {
	var w wheel
	for _, p := range c.products {
		w.add(p.demand / 100 * ranges[p.section].season[month])
	}
	return w
}

// affinities lists what is bought together.
func (c *catalogue) affinities() []Affinity {
	var list []Affinity
	for _, p := range c.products {
		if p.sibling >= 0 {
			list = append(list, Affinity{Lead: p.code, Partner: c.products[p.sibling].code})
		}
	}
	return list
}

// stockCode numbers products: some variants share a number and differ in a letter, as in many real catalogues.
func stockCode(i, variant int) string {
	number := strconv.Itoa(20_000 + 10*(i-variant) + variant)
	if variant < 3 {
		return number
	}
	return strconv.Itoa(20_000+10*(i-variant)) + string(rune('A'+variant))
}

// price rounds to what shops print: 3.95, 12.50.
func price(cents int) int {
	switch {
	case cents < 100:
		return max(cents/10*10+5, 15)
	case cents < 1000:
		return cents/50*50 + 45
	default:
		return cents / 250 * 250
	}
}

// quoted returns s as a CSV field, RFC 4180.
func quoted(s string) string {
	if !strings.ContainsAny(s, `,"`) {
		return s
	}
	return `"` + strings.ReplaceAll(s, `"`, `""`) + `"`
}
