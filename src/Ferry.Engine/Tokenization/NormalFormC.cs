using System.Globalization;
using System.Text;

namespace Ferry.Engine.Tokenization;

/// <summary>Unicode normal form C, from its own data: <c>string.Normalize</c> composes nothing when globalization is invariant.</summary>
/// <remarks>The data (nfc.txt) is written by tools/unicode/nfc.py, which names its Unicode version there.</remarks>
internal static class NormalFormC
{
    // Hangul syllables are computed, not listed (Unicode Standard 3.12).
    private const int HangulFirst = 0xAC00, LeadFirst = 0x1100, VowelFirst = 0x1161, TailBase = 0x11A7;
    private const int Leads = 19, Vowels = 21, Tails = 28;

    // No character below U+0300 is changed by form C unless a mark follows, and all marks lie above.
    private const char FirstAffected = '\u0300';

    private static readonly Lazy<Data> Tables = new(Data.Load);

    /// <param name="text">Well-formed UTF-16.</param>
    public static string Normalize(string text)
    {
        if (!text.AsSpan().ContainsAnyExceptInRange('\0', (char)(FirstAffected - 1))) { return text; }
        var data = Tables.Value;
        var runes = new List<int>(text.Length);
        foreach (var rune in text.EnumerateRunes()) { Decompose(data, rune.Value, runes); }
        Reorder(data, runes);
        Compose(data, runes);
        var result = new StringBuilder(text.Length);
        Span<char> units = stackalloc char[2];
        foreach (var rune in runes) { result.Append(units[..new Rune(rune).EncodeToUtf16(units)]); }
        return result.ToString();
    }

    private static void Decompose(Data data, int rune, List<int> result)
    {
        var syllable = rune - HangulFirst;
        if (syllable is >= 0 and < Leads * Vowels * Tails)
        {
            result.Add(LeadFirst + (syllable / (Vowels * Tails)));
            result.Add(VowelFirst + (syllable / Tails % Vowels));
            if (syllable % Tails != 0) { result.Add(TailBase + (syllable % Tails)); }
        }
        else if (data.Decompositions.TryGetValue(rune, out var parts))
        {
            foreach (var part in parts) { Decompose(data, part, result); } // Unicode's decompositions nest at most four deep
        }
        else
        {
            result.Add(rune);
        }
    }

    /// <summary>Sorts each run of marks by combining class, stably.</summary>
    private static void Reorder(Data data, List<int> runes)
    {
        for (var start = 0; start < runes.Count; start++)
        {
            if (data.Class(runes[start]) == 0) { continue; }
            var end = start;
            while (end < runes.Count && data.Class(runes[end]) != 0) { end++; }
            if (end - start > 1)
            {
                var sorted = runes.GetRange(start, end - start).OrderBy(data.Class).ToArray();
                for (var i = 0; i < sorted.Length; i++) { runes[start + i] = sorted[i]; }
            }
            start = end;
        }
    }

    private static void Compose(Data data, List<int> runes)
    {
        var (kept, starter, lastClass) = (0, -1, 0);
        for (var i = 0; i < runes.Count; i++)
        {
            var rune = runes[i];
            var combiningClass = data.Class(rune);
            // Blocked when something of the same or a higher class, or another starter, stands between.
            var adjacent = starter >= 0 && kept - 1 == starter;
            if (starter >= 0 && (adjacent || lastClass < combiningClass) && TryPair(data, runes[starter], rune) is { } composite)
            {
                runes[starter] = composite;
                continue;
            }
            if (combiningClass == 0) { starter = kept; }
            lastClass = combiningClass;
            runes[kept++] = rune;
        }
        runes.RemoveRange(kept, runes.Count - kept);
    }

    private static int? TryPair(Data data, int first, int second)
    {
        var (lead, vowel) = (first - LeadFirst, second - VowelFirst);
        if (lead is >= 0 and < Leads && vowel is >= 0 and < Vowels)
        {
            return HangulFirst + (((lead * Vowels) + vowel) * Tails);
        }
        var (syllable, tail) = (first - HangulFirst, second - TailBase);
        if (syllable is >= 0 and < Leads * Vowels * Tails && syllable % Tails == 0 && tail is > 0 and < Tails)
        {
            return first + tail;
        }
        return data.Compositions.TryGetValue((first, second), out var composite) ? composite : null;
    }

    private sealed class Data
    {
        private readonly Dictionary<int, byte> _classes = [];

        public Dictionary<int, int[]> Decompositions { get; } = [];

        public Dictionary<(int First, int Second), int> Compositions { get; } = [];

        public byte Class(int rune) => _classes.GetValueOrDefault(rune);

        public static Data Load()
        {
            var data = new Data();
            using var stream = typeof(NormalFormC).Assembly.GetManifestResourceStream("nfc.txt")!;
            using var reader = new StreamReader(stream);
            while (reader.ReadLine() is { } line)
            {
                var fields = line.Split(' ');
                switch (fields[0])
                {
                    case "C":
                        for (var rune = Hex(fields[1]); rune <= Hex(fields[2]); rune++) { data._classes[rune] = byte.Parse(fields[3]); }
                        break;
                    case "D" or "S":
                        var parts = fields[2..].Select(Hex).ToArray();
                        data.Decompositions[Hex(fields[1])] = parts;
                        if (fields[0] == "D") { data.Compositions[(parts[0], parts[1])] = Hex(fields[1]); }
                        break;
                }
            }
            return data;
        }

        private static int Hex(string text) => int.Parse(text, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
    }
}
