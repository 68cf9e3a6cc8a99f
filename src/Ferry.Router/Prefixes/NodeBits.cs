namespace Ferry.Router.Prefixes;

/// <summary>A set of index slots, one bit each. The words are the caller's.</summary>
internal readonly ref struct NodeBits(Span<ulong> words)
{
    public Span<ulong> Words { get; } = words;

    public void Add(int slot) => Words[slot >> 6] |= 1UL << (slot & 63);

    public bool Contains(int slot) => (uint)slot >> 6 < (uint)Words.Length && (Words[slot >> 6] >> (slot & 63) & 1) != 0;
}
