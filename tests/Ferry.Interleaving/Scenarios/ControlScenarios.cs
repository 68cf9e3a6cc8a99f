using Lock = Ferry.Cache.Lock;
using Volatile = Ferry.Cache.Volatile;

namespace Ferry.Interleaving.Scenarios;

/// <summary>Code that is wrong on purpose: an explorer that does not find this finds nothing.</summary>
public static class ControlScenarios
{
    /// <summary>Two threads read, add one and write.</summary>
    public static Scenario LostUpdate()
    {
        var count = 0;
        void Increment()
        {
            var seen = Volatile.Read(ref count);
            Volatile.Write(ref count, seen + 1);
        }
        return new Scenario([Increment, Increment], () => Require.That(count == 2, $"two increments gave {count}"));
    }

    /// <summary>Two locks taken in two orders.</summary>
    public static Scenario Deadlock()
    {
        var (left, right) = (new Lock(), new Lock());
        return new Scenario([() => Take(left, right), () => Take(right, left)], () => { });

        static void Take(Lock first, Lock second)
        {
            using (first.EnterScope())
            {
                using (second.EnterScope())
                {
                }
            }
        }
    }

    /// <summary>As <see cref="LostUpdate"/>, under a lock: nothing is to be found.</summary>
    public static Scenario LockedUpdate()
    {
        var count = 0;
        var mutex = new Lock();
        void Increment()
        {
            using (mutex.EnterScope())
            {
                var seen = Volatile.Read(ref count);
                Volatile.Write(ref count, seen + 1);
            }
        }
        return new Scenario([Increment, Increment, Increment], () => Require.That(count == 3, $"three increments gave {count}"));
    }
}
