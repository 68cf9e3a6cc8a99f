namespace Ferry.Cache.Remote.Clients;

/// <summary>The metadata of a pair on its way: a few bytes beside the arena.</summary>
internal sealed class NoteClientWrite(int byteCount, Action<byte[]> commit) : ClientWrite
{
    private readonly byte[] _bytes = new byte[byteCount];
    private int _advanced;

    public override Memory<byte> Bytes => _bytes;

    public override void Advance(int byteCount)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(byteCount);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(byteCount, _bytes.Length - _advanced);
        _advanced += byteCount;
    }

    public override void Append(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(_bytes.AsSpan(_advanced));
        _advanced += bytes.Length;
    }

    public override ValueTask CommitAsync(CancellationToken cancellationToken)
    {
        if (_advanced != _bytes.Length)
        {
            throw new InvalidOperationException($"{_advanced} of {_bytes.Length} bytes were advanced over; a value is committed whole.");
        }
        commit(_bytes);
        return ValueTask.CompletedTask;
    }

    public override void Dispose()
    {
    }
}
