namespace Ferry.Router.Policies;

/// <summary>Every node in turn; a node with twice the share twice as often.</summary>
/// <remarks>Smooth: each node gains its share a turn, the one that has gained most is taken and pays what all gained. Loads play no part.</remarks>
internal sealed class RoundRobinPolicy : INodePolicy
{
    private readonly System.Runtime.CompilerServices.ConditionalWeakTable<Node, Credit> _credits = [];
    private readonly Lock _turn = new();

    public int Choose(in PolicyInput input)
    {
        lock (_turn)
        {
            var best = 0;
            Credit? richest = null;
            var all = 0d;
            for (var index = 0; index < input.Nodes.Length; index++)
            {
                var credit = _credits.GetOrCreateValue(input.Nodes[index]);
                var share = input.Share(index);
                all += share;
                credit.Amount += share;
                if (richest is null || credit.Amount > richest.Amount + 1e-9)
                {
                    (best, richest) = (index, credit);
                }
            }
            richest!.Amount -= all;
            return best;
        }
    }

    private sealed class Credit
    {
        public double Amount { get; set; }
    }
}
