namespace Ferry.Router.Policies;

/// <summary>Chooses a node for one leg. Any thread.</summary>
internal interface INodePolicy
{
    /// <summary>An index into <see cref="PolicyInput.Nodes"/>, which has one node at least.</summary>
    int Choose(in PolicyInput input);
}
