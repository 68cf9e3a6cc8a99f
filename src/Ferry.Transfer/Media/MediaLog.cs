using Microsoft.Extensions.Logging;

namespace Ferry.Transfer.Media;

/// <summary>Event ids 3150 to 3159; next free: 3152.</summary>
internal static partial class MediaLog
{
    [LoggerMessage(3150, LogLevel.Information, "KV travels by {Reason}.")]
    public static partial void Chosen(ILogger logger, string reason);

    [LoggerMessage(3151, LogLevel.Warning, "Transport: {Note}")]
    public static partial void Note(ILogger logger, string note);
}
