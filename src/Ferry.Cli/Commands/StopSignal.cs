namespace Ferry.Cli.Commands;

/// <summary>When a long-running command ends: on Ctrl-C, or, for one that a program has started, when its standard input ends.</summary>
internal static class StopSignal
{
    public static async Task WaitAsync(bool onStdinClose, CancellationToken cancellationToken)
    {
        var stopped = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = cancellationToken.Register(() => stopped.TrySetResult());
        if (onStdinClose)
        {
            await Task.WhenAny(stopped.Task, ReadToEndAsync(cancellationToken));
            return;
        }
        await stopped.Task;
    }

    private static async Task ReadToEndAsync(CancellationToken cancellationToken)
    {
        await using var input = Console.OpenStandardInput();
        var buffer = new byte[256];
        // Reading a terminal or pipe cannot be cancelled; the process ends without waiting for it.
        while (await input.ReadAsync(buffer, cancellationToken) > 0)
        {
        }
    }
}
