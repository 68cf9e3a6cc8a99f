using System.Diagnostics.CodeAnalysis;
using Ferry.Engine.Connector;

namespace Ferry.Serving.Exchange;

/// <summary>A load under way.</summary>
[SuppressMessage("Design", "CA1001", Justification = "A token source without a timer holds nothing.")]
internal sealed class KvLoad : IKvLoad
{
    private readonly CancellationTokenSource _cancel = new(); // No timer in it, so nothing to dispose.

    public KvLoad(Func<CancellationToken, Task<KvLoadResult>> run) => Completion = Task.Run(() => run(_cancel.Token));

    public Task<KvLoadResult> Completion { get; }

    public void Cancel() => _cancel.Cancel();
}
