using Ferry.Kv.Layout;
using Ferry.Kv.Text;
using Microsoft.Extensions.Logging;

namespace Ferry.Cache.Remote.Clients;

/// <summary>Events 5440 to 5459.</summary>
internal static partial class ClientLog
{
    [LoggerMessage(5440, LogLevel.Warning, "KV of {Model}, rank {Rank} of {WorldSize}, is kept as bytes and never converted: {Reason}.")]
    public static partial void KeptOpaque(ILogger logger, string model, int worldSize, int rank, string reason);

    [LoggerMessage(5441, LogLevel.Warning, "A value of {Key} contradicts its model card and is kept as bytes, never converted: {Contradiction}. Correct the card, or the client. Further values of this model are only counted.")]
    public static partial void Contradiction(ILogger logger, ByteText key, string contradiction);

    [LoggerMessage(5442, LogLevel.Warning, "The two halves of {Key} do not fit: its metadata says {NoteBytes} bytes, its value has {ValueBytes}. It is not stored (said once; the count goes on in the metrics).")]
    public static partial void HalvesDiffer(ILogger logger, ByteText key, int noteBytes, int valueBytes);

    [LoggerMessage(5443, LogLevel.Information, "Would convert {Key} from {From} to {To} (clients.convert is log).")]
    public static partial void WouldConvert(ILogger logger, ByteText key, KvLayout from, KvLayout to);

    [LoggerMessage(5444, LogLevel.Warning, "Half of the pair {Key} was dropped, since its other half did not come ({Reason}). Its chunk is not cached (said once; the count goes on in the metrics).")]
    public static partial void HalfDropped(ILogger logger, ByteText key, string reason);

    [LoggerMessage(5445, LogLevel.Information, "First conversion for clients from {From} to {To}.")]
    public static partial void FirstConversion(ILogger logger, KvLayout from, KvLayout to);
}
