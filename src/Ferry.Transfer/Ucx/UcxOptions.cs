using Ferry.Kv.Ucx;
using Ferry.Transfer.Ucx.Messages;

namespace Ferry.Transfer.Ucx;

/// <summary>How UCX is used. Whatever UCX_* variable is set keeps its meaning; UCX reads them itself.</summary>
public sealed record UcxOptions
{
    /// <summary>UCX_TLS; null leaves it to the environment.</summary>
    public string? Transports { get; init; }

    /// <summary>Operations of one transfer that are handed to UCX ahead. Four keep a link busy while one completes.</summary>
    public int OperationsInFlight { get; init; } = 4;

    /// <summary>An operation is at most this long, so that several are under way and one can be given up. 16 MiB is the first value tried.</summary>
    public int OperationBytes { get; init; } = 16 << 20;

    /// <summary>How long the worker's thread goes on asking after the last event while operations are under way, before it sleeps.</summary>
    public TimeSpan SpinTime { get; init; } = TimeSpan.FromMicroseconds(50);

    /// <summary>How long closing waits for what UCX still has under way.</summary>
    public TimeSpan CloseTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How much of that is for a peer that takes what is still to be sent. One that lives takes it at once.</summary>
    internal TimeSpan DrainTimeout => CloseTimeout / 4;

    public TimeProvider Clock { get; init; } = TimeProvider.System;

    internal IReadOnlyList<string> Validate(UcxVersion version)
    {
        var errors = new List<string>();
        if (Transports is not null)
        {
            errors.AddRange(UcxTls.Parse(Transports, version).Problems.Where(problem => problem.IsError).Select(problem => problem.Text));
        }
        if (OperationsInFlight is < 1 or > 1024)
        {
            errors.Add($"OperationsInFlight is {OperationsInFlight}; it must lie in 1..1024.");
        }
        if (OperationBytes is < 4096 or > UcxReadQuestion.BytesMax)
        {
            errors.Add($"OperationBytes is {OperationBytes}; it must lie in 4096..{UcxReadQuestion.BytesMax}.");
        }
        if (SpinTime < TimeSpan.Zero || SpinTime > TimeSpan.FromSeconds(1))
        {
            errors.Add($"SpinTime is {SpinTime}; it must lie in 0..1 s.");
        }
        if (CloseTimeout <= TimeSpan.Zero)
        {
            errors.Add($"CloseTimeout is {CloseTimeout}; it must be positive.");
        }
        return errors;
    }
}
