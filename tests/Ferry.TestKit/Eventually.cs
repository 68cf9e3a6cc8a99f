using System.Diagnostics;

namespace Ferry.TestKit;

/// <summary>Waits for what other threads bring about. The limit is only for reporting a hang: on a busy machine a test takes longer and ends the same.</summary>
public static class Eventually
{
    private static readonly TimeSpan HungAfter = TimeSpan.FromMinutes(1);

    /// <exception cref="TimeoutException">It did not come true within a minute.</exception>
    public static async Task HoldsAsync(Func<bool> holds)
    {
        var begun = Stopwatch.GetTimestamp();
        while (!holds())
        {
            await Task.Yield();
            if (Stopwatch.GetElapsedTime(begun) > HungAfter)
            {
                throw new TimeoutException($"It did not come true within {HungAfter}.");
            }
        }
    }
}
