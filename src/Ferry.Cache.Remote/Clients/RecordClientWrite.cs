using System.IO.Hashing;
using Ferry.Cache.Records;
using Ferry.Kv.Records;

namespace Ferry.Cache.Remote.Clients;

/// <summary>A value that is read straight into its place in the arena, its checksum taken on the way.</summary>
internal sealed class RecordClientWrite(RecordReservation reservation, int valueBytes, Func<RecordReservation, UInt128, CancellationToken, ValueTask> commit)
    : ClientWrite
{
    private readonly XxHash128 _checksum = new();
    private int _advanced;

    public override Memory<byte> Bytes => reservation.Record.Slice(KvRecord.HeaderBytes, valueBytes);

    public override void Advance(int byteCount)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(byteCount);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(byteCount, valueBytes - _advanced);
        _checksum.Append(Bytes.Span.Slice(_advanced, byteCount));
        _advanced += byteCount;
    }

    public override ValueTask CommitAsync(CancellationToken cancellationToken) => _advanced == valueBytes
        ? commit(reservation, _checksum.GetCurrentHashAsUInt128(), cancellationToken)
        : throw new InvalidOperationException($"{_advanced} of {valueBytes} bytes were advanced over; a value is committed whole.");

    public override void Dispose() => reservation.Dispose();
}
