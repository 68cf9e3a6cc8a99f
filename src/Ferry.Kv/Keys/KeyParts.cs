namespace Ferry.Kv.Keys;

/// <summary>A key's text cut at <see cref="KeyText.Separator"/>, without strings: most keys that are looked at are not of the grammar that is tried first.</summary>
/// <param name="text">The whole key.</param>
/// <param name="places">Room for the usual number of parts; a key of more gets an array.</param>
internal readonly ref struct KeyParts(ReadOnlySpan<char> text, Span<Range> places)
{
    /// <summary>Parts of a key with some tags.</summary>
    public const int UsualCount = 16;

    private readonly ReadOnlySpan<char> _text = text;
    private readonly ReadOnlySpan<Range> _places = Cut(text, places);

    public int Count => _places.Length;

    public ReadOnlySpan<char> this[int index] => _text[_places[index]];

    private static ReadOnlySpan<Range> Cut(ReadOnlySpan<char> text, Span<Range> places)
    {
        var count = text.Count(KeyText.Separator) + 1;
        if (count > places.Length)
        {
            places = new Range[count];
        }
        return places[..text.Split(places, KeyText.Separator)];
    }
}
