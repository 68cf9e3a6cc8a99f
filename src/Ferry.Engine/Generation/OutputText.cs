using System.Text;
using Ferry.Engine.Tokenization;

namespace Ferry.Engine.Generation;

/// <summary>Text of one choice as it becomes certain: whole characters, and nothing that may yet turn out to be part of a stop string.</summary>
internal sealed class OutputText(IncrementalDecoder decoder, IReadOnlyList<string> stops, bool includeStop)
{
    private readonly StringBuilder _held = new(); // shorter than the longest stop string

    /// <summary>The stop string that matched, or null. Once set, the choice is over.</summary>
    public string? MatchedStop { get; private set; }

    /// <param name="mayStop">False while min_tokens is not reached: the text is given out unchecked.</param>
    public string Append(int tokenId, bool mayStop) => Take(decoder.Append(tokenId), mayStop);

    /// <summary>What is left when the choice ends for another reason.</summary>
    public string Flush(bool mayStop)
    {
        var text = Take(decoder.Flush(), mayStop) + (MatchedStop is null ? _held.ToString() : "");
        _held.Clear();
        return text;
    }

    private string Take(string added, bool mayStop)
    {
        if (stops.Count == 0) { return added; }
        var text = _held.Append(added).ToString();
        _held.Clear();
        if (!mayStop) { return text; }
        var (at, stop) = FirstStop(text);
        if (stop is not null)
        {
            MatchedStop = stop;
            return text[..(includeStop ? at + stop.Length : at)];
        }
        var certain = text.Length - PossibleStop(text);
        _held.Append(text, certain, text.Length - certain);
        return text[..certain];
    }

    /// <summary>The stop string that begins first; of those that begin together, the first listed.</summary>
    private (int At, string? Stop) FirstStop(string text)
    {
        var (first, found) = (int.MaxValue, (string?)null);
        foreach (var stop in stops)
        {
            var at = text.IndexOf(stop, StringComparison.Ordinal);
            if (at >= 0 && at < first) { (first, found) = (at, stop); }
        }
        return (first, found);
    }

    /// <summary>Length of the longest end of the text that begins a stop string.</summary>
    private int PossibleStop(string text)
    {
        for (var length = Math.Min(text.Length, stops.Max(s => s.Length) - 1); length > 0; length--)
        {
            var end = text.AsSpan(text.Length - length);
            foreach (var stop in stops)
            {
                if (stop.Length > length && stop.AsSpan().StartsWith(end, StringComparison.Ordinal)) { return length; }
            }
        }
        return 0;
    }
}
