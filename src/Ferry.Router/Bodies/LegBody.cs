namespace Ferry.Router.Bodies;

/// <summary>What a leg sends: runs of the client's own bytes and what is put between them. Copies nothing; the bytes must live until the leg is sent.</summary>
internal sealed class LegBody
{
    private readonly List<ReadOnlyMemory<byte>> _parts = new(8);

    public long ByteCount { get; private set; }

    public IReadOnlyList<ReadOnlyMemory<byte>> Parts => _parts;

    public void Add(ReadOnlyMemory<byte> part)
    {
        _parts.Add(part);
        ByteCount += part.Length;
    }

    /// <summary>One array with everything.</summary>
    public byte[] ToArray()
    {
        var all = new byte[ByteCount];
        var at = 0;
        foreach (var part in _parts)
        {
            part.CopyTo(all.AsMemory(at));
            at += part.Length;
        }
        return all;
    }
}
