using Ferry.Cache.Records;

namespace Ferry.Cache.Remote.Clients;

/// <summary>A value that was made for this client alone, in room of the arena that goes back with it.</summary>
internal sealed class ConvertedClientValue(RecordReservation room, ReadOnlyMemory<byte> note) : ClientValue
{
    public override ReadOnlyMemory<byte> Bytes => room.Record;

    public override ReadOnlyMemory<byte> Note => note;

    public override void Dispose() => room.Dispose();
}
