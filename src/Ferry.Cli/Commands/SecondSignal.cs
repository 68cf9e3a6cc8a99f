using System.Runtime.InteropServices;

namespace Ferry.Cli.Commands;

/// <summary>The first signal asks a command to stop, which may take as long as its drain; the second ends the process at once.</summary>
internal sealed class SecondSignal : IDisposable
{
    private readonly TextWriter _error;
    private readonly PosixSignalRegistration[] _registrations;
    private int _count;

    private SecondSignal(TextWriter error)
    {
        _error = error;
        _registrations = [.. ((PosixSignal[])[PosixSignal.SIGINT, PosixSignal.SIGTERM]).Select(signal => PosixSignalRegistration.Create(signal, OnSignal))];
    }

    public static SecondSignal EndAtOnce(TextWriter error) => new(error);

    public void Dispose() => Array.ForEach(_registrations, registration => registration.Dispose());

    private void OnSignal(PosixSignalContext context)
    {
        context.Cancel = true;
        if (Interlocked.Increment(ref _count) == 2)
        {
            _error.WriteLine("ended by a second signal; what was still queued is not in its tier.");
            Environment.Exit(FerryCommandLine.Interrupted);
        }
    }
}
