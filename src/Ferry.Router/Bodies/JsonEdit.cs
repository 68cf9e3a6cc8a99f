namespace Ferry.Router.Bodies;

/// <summary>Drops members of an object and puts others before the rest. Runs of members that stay are taken as one, with what stands between them.</summary>
/// <remarks>
/// Before, not behind: a long run ends with the object's own closing brace, and the connection has nothing more to send after it. A few bytes behind a
/// long prompt would be a system call and a segment of their own.
/// </remarks>
internal sealed class JsonEdit(JsonBody body)
{
    private static readonly byte[] Open = "{"u8.ToArray();
    private static readonly byte[] Close = "}"u8.ToArray();
    private static readonly byte[] Comma = ","u8.ToArray();

    private readonly List<(byte[] NameAndColon, ReadOnlyMemory<byte> Value)> _adds = new(6);
    private readonly List<byte[][]> _drops = new(2);

    /// <summary>All members of these names go.</summary>
    public JsonEdit Drop(byte[][] names)
    {
        _drops.Add(names);
        return this;
    }

    /// <summary>Replaces every member of that name by one, at the start.</summary>
    /// <param name="nameAndColon">As it is written: <c>"name":</c>, without escapes.</param>
    public JsonEdit Set(byte[] nameAndColon, ReadOnlyMemory<byte> value)
    {
        _adds.Add((nameAndColon, value));
        return this;
    }

    public LegBody Build()
    {
        var leg = new LegBody();
        leg.Add(Open);
        foreach (var (name, value) in _adds)
        {
            Separate(leg);
            leg.Add(name);
            leg.Add(value);
        }
        var json = body.Bytes.Span;
        var (runStart, runEnd) = (-1, -1);
        foreach (var member in body.Members)
        {
            if (Goes(member.NameIn(json)))
            {
                EndRun(leg, ref runStart, runEnd);
                continue;
            }
            runStart = runStart < 0 ? member.Start : runStart;
            runEnd = member.End;
        }
        if (runStart >= 0)
        {
            EndRun(leg, ref runStart, json.Length);   // with the brace that closes the object
            return leg;
        }
        leg.Add(Close);
        return leg;
    }

    private bool Goes(ReadOnlySpan<byte> name)
    {
        foreach (var (added, _) in _adds)
        {
            if (added.AsSpan(1, added.Length - 3).SequenceEqual(name))
            {
                return true;
            }
        }
        foreach (var names in _drops)
        {
            foreach (var drop in names)
            {
                if (name.SequenceEqual(drop))
                {
                    return true;
                }
            }
        }
        return false;
    }

    private void EndRun(LegBody leg, ref int runStart, int runEnd)
    {
        if (runStart >= 0)
        {
            Separate(leg);
            leg.Add(body.Bytes[runStart..runEnd]);
            runStart = -1;
        }
    }

    private static void Separate(LegBody leg)
    {
        if (leg.ByteCount > 1)
        {
            leg.Add(Comma);
        }
    }
}
