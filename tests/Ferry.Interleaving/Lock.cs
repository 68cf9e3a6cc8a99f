using Ferry.Interleaving;

namespace Ferry.Cache;

/// <summary>Stands in for <see cref="System.Threading.Lock"/>: who must wait hands the turn on.</summary>
internal sealed class Lock
{
    private Fiber? _owner;
    private int _depth;

    public bool IsFree => _depth == 0;

    public Scope EnterScope()
    {
        var fiber = Fiber.Current;
        Explorer.Point();
        if (_depth > 0 && !ReferenceEquals(_owner, fiber))
        {
            Explorer.WaitUntil(() => _depth == 0);
        }
        (_owner, _depth) = (fiber, _depth + 1);
        return new Scope(this);
    }

    private void Exit()
    {
        if (--_depth == 0)
        {
            _owner = null;
            Explorer.Point();
        }
    }

    public readonly ref struct Scope(Lock held)
    {
        public void Dispose() => held.Exit();
    }
}
