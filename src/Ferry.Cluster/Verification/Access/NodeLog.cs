using System.Globalization;

namespace Ferry.Cluster.Verification.Access;

/// <summary>A process' log from some moment on.</summary>
/// <param name="Stream">Ready to be read once.</param>
/// <param name="From">Where it begins, for people: <c>since 09:12:33Z, its start</c>.</param>
internal sealed record NodeLog(Stream Stream, string From) : IAsyncDisposable
{
    public const string ItsStart = "since its start";

    public static string Since(DateTimeOffset moment, bool isStart) =>
        string.Create(CultureInfo.InvariantCulture, $"since {moment.UtcDateTime:yyyy-MM-dd HH:mm:ss}Z{(isStart ? ", its start" : "")}");

    public ValueTask DisposeAsync() => Stream.DisposeAsync();
}
