using System.Diagnostics;

namespace Ferry.TestKit;

/// <summary>Waits for what other threads bring about. The limit is only for reporting a hang: on a busy machine a test takes longer and ends the same.</summary>
public static class Eventually
{
    private static readonly TimeSpan PollEvery = TimeSpan.FromMilliseconds(20);
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

    /// <summary>The same for what must be asked over a network: between two looks it waits a little.</summary>
    /// <exception cref="TimeoutException">It did not come true within a minute: <paramref name="otherwise"/>.</exception>
    public static async Task TrueAsync(Func<Task<bool>> holds, string otherwise)
    {
        var begun = Stopwatch.GetTimestamp();
        while (!await holds())
        {
            await Task.Delay(PollEvery);
            if (Stopwatch.GetElapsedTime(begun) > HungAfter)
            {
                throw new TimeoutException($"{otherwise} (within {HungAfter})");
            }
        }
    }

    public static Task TrueAsync(Func<bool> holds, string otherwise) => TrueAsync(() => Task.FromResult(holds()), otherwise);
}
