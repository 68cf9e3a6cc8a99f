using System.Runtime.CompilerServices;

namespace Ferry.Cache.Remote.Fronts;

/// <summary>Awaiting it goes on on a connection's thread.</summary>
internal readonly struct FrontSwitch(FrontThread thread) : ICriticalNotifyCompletion
{
    public bool IsCompleted => thread.IsCurrent;

    public FrontSwitch GetAwaiter() => this;

    public void OnCompleted(Action continuation) => thread.Post(continuation);

    public void UnsafeOnCompleted(Action continuation) => thread.Post(continuation);

    public void GetResult()
    {
    }
}
