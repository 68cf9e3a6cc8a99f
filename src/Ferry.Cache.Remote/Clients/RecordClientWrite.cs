using Ferry.Cache.Records;

namespace Ferry.Cache.Remote.Clients;

/// <summary>A value that is read straight into its place in the arena, its checksum taken on the way.</summary>
/// <param name="commit">Takes over the filled reservation.</param>
internal sealed class RecordClientWrite(RecordReservation reservation, int valueBytes, Action<RecordReservation> commit) : ClientWrite
{
    private RecordReservation? _reservation = reservation;
    private int _advanced;

    public override Memory<byte> Bytes => Reservation.Payload;

    private RecordReservation Reservation => _reservation ?? throw new InvalidOperationException("The value was committed or given up.");

    public override void Advance(int byteCount)
    {
        Reservation.Advance(byteCount);
        _advanced += byteCount;
    }

    public override void Append(ReadOnlySpan<byte> bytes)
    {
        Reservation.Append(bytes);
        _advanced += bytes.Length;
    }

    public override ValueTask CommitAsync(CancellationToken cancellationToken)
    {
        var filled = Reservation;
        if (_advanced != valueBytes)
        {
            throw new InvalidOperationException($"{_advanced} of {valueBytes} bytes were advanced over; a value is committed whole.");
        }
        _reservation = null;
        commit(filled);
        return ValueTask.CompletedTask;
    }

    public override void Dispose()
    {
        _reservation?.Dispose();
        _reservation = null;
    }
}
