# %% rmsprop: write the step yourself
class RMSprop(torch.optim.RMSprop):
    pass
